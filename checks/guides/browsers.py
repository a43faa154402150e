"""Guides of what the platform sends to browsers, and of how it is reached."""

from __future__ import annotations

from typing import Final

from checks.guide import Guide

CSP: Final = Guide(
    asks="GETs the pages of its settings over the environment's domains, and follows redirects within the "
    "platform; a page with a nonce is asked twice.",
    proves="Every page carries an enforced policy under which a browser runs no injected script, lasting HSTS, "
    "nosniff, and a rule against framing by others.",
    unseen="Pages that it isn't told of or that need a login, what a page loads later, and how old browsers read the"
    " policy.",
    rights="The domains of the environment; no account.",
    mends={
        "the policy is report-only": "send it as Content-Security-Policy, not as Content-Security-Policy-"
        "Report-Only",
        "no Content-Security-Policy": "send a Content-Security-Policy with script-src and frame-ancestors "
        "from the page's server or its ingress",
        "for scripts": "take the named sources out of script-src; let inline scripts in by a nonce or a hash",
        "for styles": "take 'unsafe-inline' out of style-src; let inline styles in by a nonce or a hash",
        "the nonce of the policy is the same": "make a nonce for each answer, and keep the page out of "
        "caches",
        "HSTS lasts": "send Strict-Transport-Security with a max-age of at least as many days as expected",
        "no X-Content-Type-Options": "send X-Content-Type-Options: nosniff, once",
        "other sites may frame it": "send frame-ancestors 'self' (or X-Frame-Options: DENY) with the page",
        "; expected the page": "make the page answer 2xx itself, or correct with.pages in the runbook",
    },
    otherwise="correct the headers that the page is sent with, at its server or its ingress",
)

COOKIES: Final = Guide(
    asks="Logs a test account in over the main domain, and through the sign-in form where one is set, and reads "
    "every Set-Cookie header.",
    proves="Each cookie of the settings is set with the attributes that they ask for, browsers don't drop it, and no"
    " other cookie that lets its holder in lacks Secure, HttpOnly or SameSite.",
    unseen="Cookies that scripts set, that come later than the login, or that only other accounts get.",
    rights="A test account without a second factor: accounts of the environment.",
    mends={
        "is not set": "set the cookie in the answer to the login, or correct its name in the runbook",
        "is dropped by browsers": "give the cookie what its prefix or SameSite=None asks for, or another "
        "name",
        "is not HttpOnly": "set the cookie with HttpOnly",
        "is not Secure": "set the cookie with Secure",
        "SameSite": "set SameSite as expected",
        "has Path=": "set Path as expected",
        "has a Domain": "set the cookie without Domain",
        "lives … days": "shorten Max-Age or Expires",
        "which no rule names": "set the cookie with what it lacks, or name it in with.cookies",
        "no CSRF token": "correct with.sign_in in the runbook: csrf_path, csrf_field and role",
    },
    otherwise="correct the attributes where the platform sets the cookie",
)

CORS: Final = Guide(
    asks="Sends preflights and GETs to a path of the main domain, each with another Origin: our own, those of the "
    "settings, made-up ones that resemble ours, and those that the release's own setting lists, where it is named.",
    proves="Browsers let pages of exactly the intended origins read the API's answers.",
    unseen="Other paths, other methods, and origins that nobody thought of.",
    rights="The domains of the environment; no account. With `configured`: get on deployments, config maps and "
    "secrets of the namespace.",
    mends={
        "is refused (": "add the origin to the API's list of allowed origins",
        "allowed without credentials": "send Access-Control-Allow-Credentials: true to the allowed origins",
        "by the preflight and not by the answer": "send the same Access-Control-Allow-Origin with the answer"
        " as with the preflight, once",
        "it must be refused": "compare origins whole with a list, without patterns, and never reflect Origin"
        " or null",
        "allows … it must not": "take the origin out of the setting, and deploy",
        "a preflight from": "let OPTIONS of the path reach the API, past whatever answers now",
    },
    otherwise="correct the API's list of allowed origins",
)

RATE_LIMIT: Final = Guide(
    asks="Posts a bounded burst of wrong passwords for nobody's name over the main domain, then logs a test "
    "account in from here and, if need be, from a second address; reads the ingress' annotations from the "
    "cluster.",
    proves="Guessing passwords is stopped after the burst, others still get in, and the ingress limits everything "
    "else.",
    unseen="Limits that count over longer times, per network, or in another process that the burst didn't reach.",
    rights="A test account; list on ingresses of the namespace.",
    mends={
        "let a wrong password in": "close this at once: the login accepts any password",
        "no 429": "limit attempts at this path by address and by account, in a store that all processes "
        "share",
        "whether others still in": "name the account of with.role in the runbook's accounts",
        "one limit for all, from any address": "count attempts by address or by account, not for everybody "
        "together; behind a proxy by the address that it passes on",
        "by address, or one limit for all?": "run the check on a host with a second address, or let a person"
        " log in from elsewhere at the same time",
        "the test account … got": "see why the account gets in no more; it must log in without a second "
        "factor",
        "has no rate limit of its own": "set one of with.ingress_annotations on the ingress, below "
        "with.ingress_at_most",
        "no ingress serves": "add the host to an ingress of the release, or correct domains in the runbook",
        "expected 401 or 429": "correct with.path: where passwords are tried",
    },
    otherwise="limit attempts at the login by address and by account",
)

CERTIFICATES: Final = Guide(
    asks="Opens a TLS connection to every domain of the environment, asks plain HTTP for its redirect, and reads "
    "ingresses and their TLS secrets from the cluster.",
    proves="Each domain presents a certificate that browsers trust, for its name, from a real authority, with days "
    "left, and its ingress names a TLS secret that exists.",
    unseen="Other addresses that the name leads to, whether renewal works, and certificates of other ports.",
    rights="Connections to the domains; list on ingresses and get on secrets of the namespace.",
    mends={
        "the certificate is for": "ask for a certificate with the domain's name, or mend the ingress that "
        "presents another",
        "the certificate expired": "renew the certificate, and see why it wasn't renewed by itself",
        "the certificate is not trusted": "serve the whole chain of a public authority's certificate",
        "the certificate ends in": "renew the certificate now, and see why it wasn't renewed by itself",
        "from a test authority": "order the certificate from the production authority: change the issuer",
        "does not lead to https": "redirect plain HTTP to https at the ingress (308)",
        "which the runbook does not name": "redirect to the domain's own host, or name the host in the "
        "runbook's domains",
        "plain HTTP of": "let port 80 answer with a redirect to https",
        "what is served is an old copy": "make the TLS secret again: the certificate's controller says why "
        "it is gone",
        "lacks tls.crt or tls.key": "make the TLS secret again, with both keys",
        "has a TLS secret for": "add the host with its secretName to the tls: of its ingress",
        "presented no certificate": "let the domain serve TLS",
    },
    otherwise="renew the certificate, or correct the ingress that presents it",
)

HEALTH: Final = Guide(
    asks="GETs health, readiness and metrics over the main domain, also with a made-up Host header, and reads "
    "deployments and pods from the cluster.",
    proves="The platform itself says that it is healthy, ready and which environment it is, exports its metrics, "
    "trusts no foreign Host, and all its pods are ready and stay up.",
    unseen="Whether features work, and anything that its health answer doesn't know of.",
    rights="The main domain; get on deployments, list on pods of the namespace.",
    mends={
        "any host is trusted": "name the allowed hosts in the platform's settings (trusted hosts), and "
        "refuse others with 400",
        "as an ingress does": "attest it by hand: ask a pod itself with a made-up Host header",
        "says that this is": "set the platform's environment setting for this environment, and restart it",
        "says not ready": "mend the services that are named: the platform doesn't reach them",
        "expected 200, or 403 from outside": "export metrics at with.metrics_path, or correct it",
        "expected a metrics exposition": "export metrics at with.metrics_path, past whatever page answers "
        "now",
        " lacks ": "export the metrics that are named, or correct with.metrics",
        "replicas are ready": "see why pods aren't ready (p on the dashboard: events and logs)",
        "is not ready (": "see why the pod isn't ready (p on the dashboard: events and logs)",
        "was restarted": "read the log of the container's previous run; raise its memory limit where it was "
        "OOM-killed",
        " says ": "mend what the health answer names; the platform's log says more",
        "expected the platform's own word": "let the request through to the platform, then run it again",
        "; expected 200": "see in the platform's log why the path doesn't answer 200",
    },
    otherwise="see in the platform's log why the path answers so, or correct the path in the runbook",
)
