"""One clean file of a log: no journal, no free pages, the same events and the same head."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from state.log.errors import Damage, LogDamagedError, LogError, LogExistsError
from state.log.layout import check_file
from state.log.locks import make_durable
from state.log.verify import VerifyReport, readable, verify


def archive(path: Path, target: Path) -> VerifyReport:
    """Copy a log, also one that is being written, into a new file that verifies; return what that showed.

    A writer waits meanwhile (about 8 s for a million events). The file appears under its name only when it is
    complete and was checked. Raises LogError.
    """
    if target.exists():
        raise LogExistsError(f"{target} exists already: name another file for the archive")
    check_file(path)
    unfinished = target.with_name(f".{target.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with readable(path) as (con, _):
            con.execute("VACUUM INTO ?", (str(unfinished),))
        report = verify(unfinished)
        if not report.ok:
            raise LogDamagedError(
                f"{path} isn't archived, because it is damaged: {report.message}",
                damage=report.damage,
                seq=report.bad_seq,
            )
        make_durable(unfinished)
        unfinished.rename(target)
        make_durable(target.parent)
    except sqlite3.OperationalError as error:
        raise LogError(f"{path} can't be archived to {target}: {error}") from error
    except sqlite3.DatabaseError as error:
        message = f"{path} isn't archived, because it is damaged ({Damage.FILE}): {error}"
        raise LogDamagedError(message, damage=Damage.FILE) from error
    except OSError as error:
        raise LogError(f"{target} can't be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return report
