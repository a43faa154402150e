PRAGMA application_id = 0x4C4E4348;  -- "LNCH"
PRAGMA user_version   = 1;
CREATE TABLE event(
  seq     INTEGER PRIMARY KEY CHECK(seq>=1),
  eid     TEXT NOT NULL,                 -- uuid4, idempotency key after a failed COMMIT
  type    TEXT NOT NULL, gate TEXT,      -- 'g01'..'g10' or NULL
  ref     INTEGER CHECK(ref<seq),        -- event this one answers: intended→finished, requested→signed, redacted target
  actor   TEXT NOT NULL,                 -- who (human or 'engine')
  session TEXT NOT NULL, boot TEXT NOT NULL,   -- engine run; sha256(boot_id)[:16]
  wall_us INTEGER NOT NULL, mono_us INTEGER NOT NULL, -- UTC micros; CLOCK_BOOTTIME micros
  salt    BLOB, body TEXT,               -- both NULL only after an authorised redaction
  body_sha BLOB NOT NULL CHECK(length(body_sha)=32),
  prev    BLOB NOT NULL CHECK(length(prev)=32),
  hash    BLOB NOT NULL CHECK(length(hash)=32)
) STRICT;
CREATE TRIGGER event_insert BEFORE INSERT ON event BEGIN
  SELECT RAISE(ABORT,'lc: seq gap') WHERE NEW.seq IS NOT (SELECT coalesce(max(seq),0)+1 FROM event);
  SELECT RAISE(ABORT,'lc: prev mismatch') WHERE NEW.seq>1 AND NEW.prev IS NOT (SELECT hash FROM event WHERE seq=NEW.seq-1);
  SELECT RAISE(ABORT,'lc: body required') WHERE NEW.body IS NULL OR NEW.salt IS NULL;
END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT,'lc: append-only'); END;
CREATE TRIGGER event_redact_only BEFORE UPDATE ON event WHEN NOT (
  NEW.body IS NULL AND NEW.salt IS NULL AND OLD.body IS NOT NULL AND NEW.seq=OLD.seq AND NEW.eid=OLD.eid AND NEW.type=OLD.type
  AND NEW.gate IS OLD.gate AND NEW.ref IS OLD.ref AND NEW.actor=OLD.actor AND NEW.session=OLD.session AND NEW.boot=OLD.boot AND NEW.wall_us=OLD.wall_us
  AND NEW.mono_us=OLD.mono_us AND NEW.body_sha=OLD.body_sha AND NEW.prev=OLD.prev AND NEW.hash=OLD.hash
  AND EXISTS(SELECT 1 FROM event r WHERE r.seq>OLD.seq AND r.type='log.redacted' AND r.ref=OLD.seq))
BEGIN SELECT RAISE(ABORT,'lc: append-only'); END;
