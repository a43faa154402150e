from __future__ import annotations

import ssl

import httpx
import pytest

from console.rehearsal.dotmac.platform import Csp, Outage
from console.rehearsal.sim.certificate_authority import CertificateFault
from tests.console.rehearsal.dotmac.platform.conftest import ADMIN, API, Site

POLICY = "content-security-policy"


async def test_browser_headers_come_from_the_ingress(site: Site) -> None:
    for host, path in ((ADMIN, "/"), (ADMIN, "/login"), (API, "/health")):
        answer = await site.call(path, host=host)
        assert answer.status_code == 200
        assert "unsafe" not in answer.headers[POLICY]
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("x-frame-options") == ["DENY"]
    inside = await site.client.get(site.service.url + "/health")
    assert not {POLICY, "strict-transport-security", "x-frame-options"} & set(inside.headers)


async def test_headers_that_are_weak_or_missing(site: Site) -> None:
    web = site.settings.web
    web.csp_admin, web.csp_api = Csp.WEAK, Csp.NONE
    web.hsts, web.nosniff, web.frame_options = None, False, None
    admin, api = await site.admin("/login"), await site.call("/health")
    assert "'unsafe-eval'" in admin.headers[POLICY]
    assert POLICY not in api.headers
    assert not {"strict-transport-security", "x-content-type-options", "x-frame-options"} & set(api.headers)
    web.csp_admin, web.csp_report_only = Csp.STRONG, True
    admin = await site.admin("/")
    assert POLICY not in admin.headers
    assert "content-security-policy-report-only" in admin.headers


async def allowed(site: Site, origin: str) -> tuple[int, str | None]:
    header = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = await site.call("/api/v1/tenants", "OPTIONS", header=header)
    plain = await site.call("/health", header={"Origin": origin})
    found: str | None = answer.headers.get("access-control-allow-origin")
    assert plain.headers.get("access-control-allow-origin") == found
    return answer.status_code, found


async def test_only_the_admin_ui_may_read_across_origins(site: Site) -> None:
    assert await allowed(site, f"https://{ADMIN}") == (200, f"https://{ADMIN}")
    refused = (
        "http://localhost:3000",
        "http://localhost:3001",
        f"http://{ADMIN}",
        "https://evil.test",
        "null",
    )
    for origin in refused:
        assert await allowed(site, origin) == (400, None)


async def test_origins_that_are_let_in_by_mistake(site: Site) -> None:
    web = site.settings.web
    web.cors_localhost = True
    assert await allowed(site, "http://localhost:3001") == (200, "http://localhost:3001")
    assert (await allowed(site, f"http://{ADMIN}"))[0] == 400
    web.cors_plain_http = True
    assert (await allowed(site, f"http://{ADMIN}"))[0] == 200
    assert (await allowed(site, "https://evil.test"))[0] == 400
    web.cors_any_origin = True
    assert await allowed(site, "https://evil.test") == (200, "https://evil.test")
    web.cors_any_origin, web.cors_plain_http, web.cors_origins = False, False, []
    assert (await allowed(site, f"https://{ADMIN}"))[0] == 400


async def test_the_admin_ui_and_its_bundle(site: Site) -> None:
    page = await site.admin("/login")
    chunk = page.text.partition('<script src="')[2].partition('"')[0]
    code = await site.admin(chunk)
    assert code.headers["content-type"].startswith("application/javascript")
    assert f"https://{API}" in code.text
    site.settings.web.bundle_api_url = "http://localhost:8000"
    assert "localhost:8000" in (await site.admin(chunk)).text
    site.settings.web.admin_login_status = 500
    site.settings.web.admin_broken_paths = {"/": 502}
    assert [(await site.admin(path)).status_code for path in ("/", "/login", "/x")] == [502, 500, 404]
    site.settings.web.admin_outage = Outage.UNAVAILABLE
    assert (await site.admin("/api/auth/csrf")).status_code == 503
    assert (await site.call("/health")).status_code == 200


async def test_plain_http_only_redirects(site: Site) -> None:
    async def plain(path: str, host: str) -> httpx.Response:
        return await site.client.get(site.http.url + path, headers={"Host": host})

    answer = await plain("/health?x=1", API)
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{API}/health?x=1")
    assert (await plain("/", "unknown.test")).status_code == 404
    site.settings.web.redirect_status = 301
    assert (await plain("/", ADMIN)).status_code == 301
    site.settings.web.redirect_status = None
    assert (await plain("/health", API)).status_code == 200


async def leaf(site: Site, host: str, context: ssl.SSLContext) -> bytes:
    import asyncio

    _, writer = await asyncio.open_connection("127.0.0.1", site.https.port, ssl=context, server_hostname=host)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    assert isinstance(found, bytes)
    return found


async def trusted(site: Site, host: str) -> bool:
    try:
        await leaf(site, host, ssl.create_default_context(cafile=str(site.authority.ca_file)))
    except ssl.SSLCertVerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "api", "admin"),
    [
        (CertificateFault.NONE, True, True),
        (CertificateFault.EXPIRES_SOON, True, True),
        (CertificateFault.EXPIRED, False, False),
        (CertificateFault.WITHOUT_SECOND_NAME, True, False),
        (CertificateFault.WITHOUT_FIRST_NAME, False, True),
        (CertificateFault.STAGING_ISSUER, True, True),
        (CertificateFault.SELF_SIGNED, False, False),
        (CertificateFault.FOREIGN_ROOT, False, False),
    ],
)
async def test_certificates(site: Site, fault: CertificateFault, api: bool, admin: bool) -> None:
    from cryptography import x509

    assert await trusted(site, API)
    site.settings.web.certificate = fault
    assert (await trusted(site, API), await trusted(site, ADMIN)) == (api, admin)
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    found = x509.load_der_x509_certificate(await leaf(site, API, blind))
    left_days = found.not_valid_after_utc.timestamp() - site.clock.wall_us() / 1e6
    assert (left_days > 21 * 86400) == (
        fault not in (CertificateFault.EXPIRES_SOON, CertificateFault.EXPIRED)
    )
    assert ("(STAGING) Fake LE" in found.issuer.rfc4514_string()) == (
        fault is CertificateFault.STAGING_ISSUER
    )
    site.settings.web.certificate = CertificateFault.NONE
    assert await trusted(site, ADMIN)


async def test_the_trust_file_of_a_restarted_world_is_still_right(site: Site) -> None:
    from console.rehearsal.sim.certificate_authority import Authority

    before = ssl.create_default_context(cafile=str(site.authority.ca_file))
    again = Authority(7, site.clock, site.authority.ca_file.parent.parent / "again")
    assert again.private_key((API, ADMIN)) == site.authority.private_key((API, ADMIN))
    site.authority = again
    assert await trusted(site, API)
    await leaf(site, API, before)
