"""The verification page against `beltic verify --site`, in a real browser: run by .ci/browser/run."""

import argparse
import json
import os
import pathlib
import subprocess

import behaviour
import cases
import lists
from cases import Case
from page import VerificationPage
from server import Sites
from sites import Site, now
from webdriver import Browser, find_browser


def build(beltic, folder):
    """Issuers of every kind, each with its site."""
    site = lambda name, *rest: Site(beltic, folder / name, *rest)
    return {
        "issuer": site("issuer", "did:web:issuer.example", "https://issuer.example/verify/"),
        "https": site("https", "https://https.example", "https://https.example/verify/"),
        "units": site(
            "units",
            "did:web:units.example:a",
            "https://cdn.example/a/verify/",
            "status: { base_url: https://cdn.example/a }\n",
        ),
        "key": site(
            "key", None, "https://any.example/verify/", "status: { base_url: https://any.example }\n"
        ),
    }


def tables(sites):
    """The cases of each site."""
    start = now()
    issuer = sites["issuer"]
    own = cases.everything(issuer, start) + lists.everything(issuer, "https://issuer.example", start)
    foreign = [
        Case(f"of {name}: {token}", site.token(token), "unknown_kid")
        for name, site in sites.items()
        if name != "issuer"
        for token in ("valid business jwt_vc", "valid business sd_jwt_vc")
    ]
    others = {
        name: cases.issued(site) + [Case("of another issuer", issuer.token("valid business jwt_vc"), "unknown_kid")]
        for name, site in sites.items()
        if name != "issuer"
    }
    return {"issuer": (issuer, own + foreign)} | {name: (sites[name], table) for name, table in others.items()}


def difference(case, verdict, found):
    """What is wrong with the two verdicts on a case: both must say what the case promises."""
    valid, reason, step = verdict
    by_page = (found.get("verdict") == "valid", found.get("reason", found.get("problem")), found.get("step", ""))
    if (valid, reason) != (case.reason == "", case.reason):
        return f"{case.name}: the command says {verdict}; expected {case.reason or 'valid'}"
    if by_page != verdict:
        return f"{case.name}: the page says {by_page}, the command {verdict}"
    return f"{case.name}: the address still has its fragment" if "#" in found["address"] else None


def compare(name, site, table, browser):
    """Every case, judged by the command and by the page."""
    assert len({case.name for case in table}) == len(table), "two cases have one name"
    verdicts = site.verdicts(table)
    page = VerificationPage(browser, site.page, site.folder)
    judged = zip(table, verdicts, (page.judge(case, turn) for turn, case in enumerate(table)))
    wrong = list(filter(None, (difference(*one) for one in judged)))
    valid = sum(1 for valid, *_ in verdicts if valid)
    print(f"{name}: {len(table)} tokens, {valid} of them valid, judged alike but for {len(wrong)}", flush=True)
    return len(table), wrong


def compare_presentations(site, browser):
    """The same for presentations, which hold for five minutes: each is made when it is judged."""
    made = lambda: list(cases.key_binding(cases.Forger(site, now())))
    page = VerificationPage(browser, site.page, site.folder)
    wrong = []
    for turn in range(len(made())):
        case = made()[turn]
        wrong.append(difference(case, site.verdicts([case])[0], page.judge(case, turn)))
    print(f"presentations: {len(wrong)} of them, judged alike but for {len(wrong) - wrong.count(None)}", flush=True)
    return len(wrong), [line for line in wrong if line]


def certificate(folder):
    key, chain = folder / "server.key", folder / "server.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run(
        [*command, "-keyout", key, "-out", chain, "-subj", "/CN=sites of a test"], check=True, capture_output=True
    )
    return chain, key


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("beltic")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    sites = build(arguments.beltic, folder)
    named = tables(sites)
    hosts = {
        "issuer.example": "issuer",
        "https.example": "https",
        "cdn.example": "units",
        "any.example": "key",
        "copy.example": "issuer",
    }
    folders = {host: sites[name].root for host, name in hosts.items()} | {
        "frame.example": behaviour.framing_site(folder)
    }
    server = Sites(folders, certificate(folder))
    plain = Sites(
        {"plain.example": sites["key"].root, "localhost": sites["issuer"].root, "127.0.0.1": sites["issuer"].root}
    )
    plain_hosts = {"plain.example": plain.port, "localhost": plain.port}
    browser = Browser(*find_browser(), server.port, folder / "profile", plain_hosts.items())
    try:
        compared = [compare(name, site, table, browser) for name, (site, table) in named.items()]
        compared.append(compare_presentations(sites["issuer"], browser))
        total, wrong = sum(count for count, _ in compared), [line for _, lines in compared for line in lines]
        assert not wrong, "\n".join(wrong)
        assert total >= 120, total
        print(f"the page and the command agree on {total} tokens")
        behaviour.check(browser, sites, server, plain, folder)
        pictures = os.environ.get("SCREENSHOTS")
        behaviour.take_pictures(browser, sites, pathlib.Path(pictures) if pictures else folder / "pictures")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
