"""What the page promises beside its verdicts: SECURITY.md, "The verification page"."""

import json
import pathlib

import forge
import lists
from cases import AUDIENCE, NONCE, Case, Forger
from page import OUTCOME, VerificationPage
from sites import now

WAIT = OUTCOME + "return settled();"
MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def framing_site(folder):
    """A site of somebody else, which shows the page inside its own."""
    site = folder / "frame"
    site.mkdir()
    (site / "_headers").write_text("/*\n  Content-Type: text/html\n", encoding="utf-8")
    (site / "index.html").write_text('<iframe src="https://issuer.example/verify/"></iframe>', encoding="utf-8")
    return site


def check(browser, sites, server, plain, folder):
    site = sites["issuer"]
    page = VerificationPage(browser, site.page, folder)
    for test in (claims_are_text, markup_is_refused, nothing_leaves_the_site):
        test(page, site, server)
    links_to_files(page, site)
    presentations_bring_their_nonce(page, site)
    audience_is_asked_for(page, site)
    labels_are_in_the_readers_language(page, site)
    metadata_are_not_trusted(page, site)
    redirects_are_not_followed(page, site, server)
    keys_that_cannot_be_loaded(page, site)
    keys_in_other_forms(page, site)
    what_is_invisible_is_shown(page, site)
    certificates_are_said_to_be_unread(page, site)
    withheld_claims_are_said(page, site)
    frames_are_refused(browser)
    wrong_places(browser, sites, plain, server)
    rules_of_types_are_left_to_the_command(page, site)
    keyboard_and_names(page, site)
    complaints = [line for line in browser.log() if "Content Security Policy" in line and "frame-ancestors" not in line]
    assert not complaints, complaints
    print(
        "claims stay text, nothing leaves the site, links, languages, copies, frames, file: and http: are as SECURITY.md says"
    )


def claims_are_text(page, site, _):
    """Markup in claims is shown as the text that it is, and nothing of it runs."""
    forger = Forger(site, now())
    subject = {"name": MARKUP, MARKUP: [MARKUP], "turned": "\u202eabc", "list": [{"a": MARKUP}]}
    found = page.paste(Case("markup", forger.open_type(subject)))
    assert found["verdict"] == "valid", found
    assert found["text"].count(MARKUP) == 4 and "⟨U+202E⟩abc" in found["text"], found["text"]
    state = page.browser.run("""return {
        hacked: window.hacked ?? null, shown: document.querySelectorAll('#result img, #result script, #result a').length,
        scripts: document.scripts.length, styled: document.querySelectorAll('[onerror]').length}""")
    assert state == {"hacked": None, "shown": 0, "scripts": 2, "styled": 0}, state


def markup_is_refused(page, *_):
    """Even a mistake in the page could make no markup, run no other script, load nothing and send nothing elsewhere."""
    state = page.browser.run("""
    const attempts = {
      markup: () => { document.createElement('p').innerHTML = '<b>x</b>'; },
      // In a turn of its own: what the driver runs may evaluate text.
      evaluating: () => new Promise((resolve, reject) => setTimeout(() => {
        try { resolve((0, eval)('1')); } catch (error) { reject(error); }
      })),
      script: () => { document.createElement('script').textContent = 'window.hacked = 2'; },
      policy: () => { trustedTypes.createPolicy('any', {createHTML: (text) => text}); },
      elsewhere: () => fetch('https://evil.example/'),
      image: () => new Promise((onload, onerror) => Object.assign(new Image(), {onload, onerror, src: '/x.png'})),
    };
    return Promise.all(Object.entries(attempts).map(([name, attempt]) =>
      Promise.resolve().then(attempt).then(() => [name, 'allowed'], () => [name, 'refused']))).then(Object.fromEntries);
    """)
    assert set(state.values()) == {"refused"}, state
    page.browser.log()


def nothing_leaves_the_site(page, site, server):
    """Only keys, lists and metadata are asked for, of the site alone, and no request says where it comes from."""
    token = site.token("valid trade_licence sd_jwt_vc")
    page.browser.open("about:blank")
    server.take_requests()
    found = page.follow(token)
    assert found["verdict"] == "valid" and found["address"] == page.address, found
    asked = server.take_requests()
    _, payload, *_ = forge.parts(token)
    wanted = {
        "/verify/",
        "/.well-known/did.json",
        "/credentials/trade_licence/v1",
        payload["status"]["status_list"]["uri"].removeprefix("https://issuer.example"),
    }
    assert {path.split("?")[0] for host, path, _ in asked if host == "issuer.example"} == wanted, asked
    assert not [headers for _, _, headers in asked if "Referer" in headers or "Cookie" in headers], asked
    assert not [path for _, path, _ in asked if token[:40] in path], asked
    others = {host for host, *_ in asked} - {"issuer.example"}
    assert not {host for host in others if host.endswith(".example")}, others


def links_to_files(page, site):
    """A link may name a credential by its id; the page asks for the file, and takes no other."""
    right, wrong = "valid business sd_jwt_vc", "valid business jwt_vc"
    for name, reason in ((right, ""), (wrong, "id_mismatch")):
        page.load(f"id={site.id_of(right)}")
        wanted = page.browser.run(
            "return [document.getElementById('wanted').hidden, document.getElementById('wanted').textContent, location.href]"
        )
        assert not wanted[0] and site.id_of(right) in wanted[1] and wanted[2] == page.address, wanted
        found = page.browser.run(
            "document.getElementById('token').value = arguments[0]; document.getElementById('form').requestSubmit();"
            + WAIT,
            site.token(name),
        )
        assert (found["verdict"] == "valid", found["reason"]) == (reason == "", reason), found
    # A file that is bad for another reason says that reason.
    page.load(f"id={site.id_of(right)}")
    found = page.browser.run(
        "document.getElementById('token').value = arguments[0]; document.getElementById('form').requestSubmit();"
        + WAIT,
        site.token("revoked business jwt_vc"),
    )
    assert found["reason"] == "revoked", found
    # A link inside the page that is open already, and one that is pasted.
    page.load()
    script = """
    const turn = () => new Promise((resolve) => setTimeout(resolve));
    const changed = new Promise((resolve) => addEventListener('hashchange', resolve, {once: true}));
    location.hash = arguments[0];
    return changed.then(turn).then(() => {""" + WAIT + "});"
    found = page.browser.run(script, site.token(right))
    assert found["verdict"] == "valid" and found["address"] == page.address, found
    assert page.paste(Case("link", f"{page.url}#{site.token(right)}"))["verdict"] == "valid"


def presentations_bring_their_nonce(page, site):
    """A presentation wrapped with its nonce, and other wrappings."""
    bound = forge.bind(site.holder, site.token("held business sd_jwt_vc"), AUDIENCE, NONCE, now())
    wrapped = lambda **members: Case("wrapped", json.dumps(members), audience=AUDIENCE)
    found = page.paste(wrapped(presentation=bound, nonce=NONCE))
    assert found["verdict"] == "valid" and "holder" not in found["unchecked"], found
    assert page.paste(wrapped(presentation=bound, nonce="another"))["reason"] == "key_binding_invalid"
    # The holder may have written the file: it never replaces what the reader typed.
    replayed = json.dumps({"presentation": bound, "nonce": NONCE})
    typed = Case("typed", replayed, nonce="fresh", audience=AUDIENCE)
    assert page.paste(typed)["reason"] == "key_binding_invalid"
    found = page.paste(wrapped(presentation=bound))
    assert found["verdict"] == "valid" and "holder" in found["unchecked"], found
    token = site.token("valid business jwt_vc")
    for text in (
        json.dumps({"credential": token}),
        json.dumps({"credentials": [token]}),
        json.dumps({"credential": {"signed_payload": token}}),
        json.dumps(site.issued["valid business jwt_vc"]),
        f"data:application/vc+jwt,{token}",
        f"\ufeff  {token}\n",
    ):
        found = page.paste(Case("wrapped", text))
        assert found.get("verdict") == "valid", (text[:60], found)


def audience_is_asked_for(page, site):
    """A nonce without an audience is a mistake of the reader, not a verdict."""
    page.load()
    state = page.browser.run(
        """
    document.getElementById('token').value = arguments[0]; document.getElementById('nonce').value = 'n';
    document.getElementById('form').requestSubmit();
    const isHidden = (id) => document.getElementById(id).hidden;
    return [isHidden('missing-audience'), document.activeElement.id, isHidden('result')];
    """,
        site.token("held business sd_jwt_vc"),
    )
    assert state == [False, "audience", True], state


def labels_are_in_the_readers_language(page, site):
    """Labels come from the type metadata, in the reader's language where there is one, and say which it is."""
    case = Case("labels", site.token("valid trade_licence sd_jwt_vc"))
    for languages, label, language in (
        ("de-AT", "Lizenznummer", "de"),
        ("fr", "Licence number", "en"),
        ("en-GB", "Licence number", "en"),
    ):
        agent = page.browser.run("return navigator.userAgent")
        page.browser.devtools("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=languages)
        page.load()
        found = page.paste(case)
        assert found["verdict"] == "valid" and label in found["text"], (languages, found["text"])
        shown = page.browser.run(
            "return [...document.querySelectorAll('dt bdi')].find((name) => name.textContent === arguments[0]).lang",
            label,
        )
        assert shown == language, (languages, shown)
    band = page.browser.run("return getComputedStyle(document.querySelector('.band')).backgroundColor")
    assert band == "rgb(0, 51, 102)", band


def metadata_are_not_trusted(page, site):
    """Names and colours of metadata are text and `#rrggbb`; a document with another hash is not used."""
    forger = Forger(site, now())
    path, vct = "credentials/hostile/v1", "https://issuer.example/credentials/hostile/v1"
    document = {
        "vct": vct,
        "name": MARKUP,
        "display": [
            {
                "locale": "en",
                "name": MARKUP,
                "rendering": {
                    "simple": {
                        "background_color": "red;background:url(https://evil.example/a)",
                        "text_color": "#fff",
                        "logo": {"uri": "https://evil.example/logo.png"},
                    }
                },
            }
        ],
        "claims": [{"path": ["claims", "a"], "display": [{"locale": "en", "label": MARKUP}]}],
    }
    site.put(path, json.dumps(document))
    token = lambda **changes: Case("metadata", forger.open_sd({"vct": vct, "claims": {"a": 1}} | changes))
    found = page.paste(token())
    assert found["verdict"] == "valid" and found["text"].count(MARKUP) == 2, found
    colours = page.browser.run(
        "return [document.querySelector('.band').style.length, document.images.length, window.hacked ?? null]"
    )
    assert colours == [0, 0, None], colours
    found = page.paste(token(**{"vct#integrity": "sha256-AAAA"}))
    assert (
        found["verdict"] == "valid" and MARKUP not in found["text"] and "not the one that was signed" in found["text"]
    ), found
    # Colours that cannot be read together are not taken together.
    document["display"][0]["rendering"]["simple"] = {"background_color": "#fefefe", "text_color": "#ffffff"}
    site.put(path, json.dumps(document))
    page.paste(token())
    band = page.browser.run(
        "const style = getComputedStyle(document.querySelector('.band')); return [style.backgroundColor, style.color]"
    )
    assert band == ["rgb(254, 254, 254)", "rgb(0, 0, 0)"], band


def redirects_are_not_followed(page, site, server):
    listing = lists.Listing(site, "https://issuer.example", now())
    _, good = listing.place("token")
    listing.publish(
        good.removeprefix("https://issuer.example/"),
        "statuslist+jwt",
        forge.token_list(site, "https://issuer.example/status/token/moved.jwt", now()),
    )
    server.server.redirects["/status/token/moved.jwt"] = good
    case = listing.names(
        "moved",
        "status_unknown",
        status={"status_list": {"idx": 1, "uri": "https://issuer.example/status/token/moved.jwt"}},
    )
    assert page.paste(case)["reason"] == "status_unknown"


def keys_that_cannot_be_loaded(page, site):
    """Without the issuer's own keys there is no verdict at all."""
    document = site.root / ".well-known/did.json"
    kept = document.read_bytes()
    case = Case("keys", site.token("valid business jwt_vc"))
    for content in (None, b"<html>", kept.replace(b"did:web:issuer.example", b"did:web:other.example"), b"{}"):
        document.unlink()
        if content is not None:
            document.write_bytes(content)
        else:
            assert "cannot be loaded" in page.paste(case)["problem"]
            document.touch()
            continue
        found = page.paste(case)
        assert "verdict" not in found and found["problem"], found
    document.write_bytes(kept)
    assert page.paste(case)["verdict"] == "valid"


def keys_in_other_forms(page, site):
    """The site's keys as documents of others have them: both judge alike, whichever form it is."""
    path = site.root / ".well-known/did.json"
    kept = path.read_bytes()
    multikey, other = site.key.multikey(), forge.Key().multikey()
    # A point that is not on the curve, another curve, a longer text, and no multibase.
    broken = [forge.multibase(bytes([0x80, 0x24, 2]) + bytes(31) + bytes([5])), multikey.replace("zDn", "z6M", 1)]
    broken += [multikey + "1", multikey[1:], "z", ""]
    forms = [({"type": "Multikey", "publicKeyMultibase": key}, key == multikey) for key in (multikey, other, *broken)]
    forms += [({"type": "JsonWebKey2020", "publicKeyJwk": site.key.jwk()}, True)]
    forms += [({"type": "Multikey", "publicKeyJwk": other_jwk, "publicKeyMultibase": multikey}, False)
              for other_jwk in (forge.Key().jwk(), {"kty": "OKP"})]
    case = Case("other forms", site.token("valid business jwt_vc"))
    for form, is_valid in forms:
        document = json.loads(kept)
        method = document["verificationMethod"][0]
        document["verificationMethod"] = [{name: method[name] for name in ("id", "controller")} | form]
        path.write_text(json.dumps(document), encoding="utf-8")
        command = site.verify_code(case.text)
        found = page.paste(case)
        assert (found.get("verdict") == "valid", command == 0) == (is_valid, is_valid), (form, command, found)
    path.write_bytes(kept)


def what_is_invisible_is_shown(page, site):
    """Characters that leave no mark become their code points; what scripts need stays."""
    invisible = "\u034f \u17b4 \u180e \u200b \u2060 \u2800 \ufff0 \U0001d173 \U000e0041"
    kept = "\u0928\u094d\u200d \u82a6\U000e0101 \u2764\ufe0f \u3000x"
    subject = {"name": f"{invisible} a\ufe0f b\U000e0101", "kept": kept}
    found = page.paste(Case("invisible", Forger(site, now()).open_type(subject)))
    marks = [f"\u27e8U+{ord(one):04X}\u27e9" for one in invisible.split(" ")]
    shown = " ".join(marks) + " a\u27e8U+FE0F\u27e9 b\u27e8U+E0101\u27e9"
    assert shown in found["text"] and kept in found["text"], found["text"]


def certificates_are_said_to_be_unread(page, site):
    forger = Forger(site, now())
    found = page.paste(Case("certificates", forger.make("jwt_vc", header={"x5c": ["MIIB"]})))
    assert found["verdict"] == "valid" and "The certificates in its header" in found["text"], found
    assert "The certificates in its header" not in page.paste(Case("none", forger.make("jwt_vc")))["text"]


def withheld_claims_are_said(page, site):
    token = site.token("valid business sd_jwt_vc")
    found = page.paste(Case("withheld", token.split("~")[0] + "~"))
    assert (
        found["verdict"] == "valid" and "What was withheld" in found["text"] and "Quillmere Lantern" in found["text"]
    ), found
    assert "Thistlewick" not in found["text"] and "What was withheld" not in page.paste(Case("whole", token))["text"]


def rules_of_types_are_left_to_the_command(page, site):
    """The one verdict in which the two differ by design: the page says that it did not look."""
    page.load()
    case = Case(
        "rules",
        Forger(site, now()).make(
            "jwt_vc", payload={"credentialSubject": {"subject_id": "a", "claims": {"jurisdiction": "Atlantis"}}}
        ),
    )
    found = page.paste(case)
    assert site.verdicts([case]) == [(False, "schema_invalid", "schema")]
    assert (
        found["verdict"] == "valid" and "schema" in found["unchecked"] and "the rules of their type" in found["text"]
    ), found


def frames_are_refused(browser):
    browser.open("https://frame.example/index.html")
    browser.post("/frame", {"id": 0})
    assert not browser.run("return document.getElementById('form') !== null"), "the page is shown in a frame"
    browser.post("/frame", {"id": None})


def wrong_places(browser, sites, plain, server):
    """From a file, without TLS, or on somebody else's host the page explains why it says nothing."""
    file = sites["issuer"].root / "verify/index.html"
    token = sites["issuer"].token("valid business jwt_vc")
    server.take_requests()
    for url, said in (
        (file.as_uri(), "opened as a file"),
        ("http://plain.example/verify/", "without encryption"),
        ("https://copy.example/verify/", "This is a copy"),
    ):
        browser.open(f"{url}#{token}")
        state = browser.run(
            "const byId = (id) => document.getElementById(id);"
            "return [byId('problem').textContent, byId('form').hidden, byId('verdict') === null, location.hash]"
        )
        assert said in state[0] and state[1:] == [True, True, ""], (url, state)
    assert not [path for host, path, _ in server.take_requests() if host == "copy.example" and "did.json" in path]
    # On this machine the page works without TLS; the lists are on another origin.
    page = VerificationPage(browser, f"http://localhost:{plain.port}/verify/", sites["issuer"].folder)
    assert page.paste(Case("local", token))["reason"] == "status_unknown"
    assert page.paste(Case("local", token[:-4] + "AAAA"))["reason"] == "bad_signature"


def keyboard_and_names(page, site):
    """The verdict has the focus, everything that can be used has a name, and the page passes axe where it is there."""
    page.load()
    page.paste(Case("names", site.token("valid trade_licence sd_jwt_vc")))
    assert page.browser.run("return document.activeElement.id") == "verdict-title"
    unnamed = page.browser.run(
        "return [...document.querySelectorAll('input, textarea')].filter((field) => field.labels.length === 0).length"
    )
    assert unnamed == 0, unnamed
    axe = pathlib.Path("node_modules/axe-core/axe.min.js")
    if not axe.exists():
        print("left out: axe-core cannot be installed, so accessibility is not checked by it")
        return
    for dark in (False, True):
        page.browser.devtools(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        for name in ("valid trade_licence sd_jwt_vc", "revoked business jwt_vc", None):
            page.load()
            if name:
                page.paste(Case("axe", site.token(name)))
            found = page.browser.run(
                axe.read_text(encoding="utf-8")
                + """;
            return axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes.map(({html}) => html)]));"""
            )
            assert found == [], (name, dark, found)
    print("axe-core finds nothing against the page, light or dark")


def take_pictures(browser, sites, folder):
    """Pictures for people to look at: phone and desktop, light and dark, and on paper."""
    folder.mkdir(parents=True, exist_ok=True)
    site = sites["issuer"]
    forger = Forger(site, now())
    hostile = forger.open_type(
        {
            "name": MARKUP,
            "long": "W" * 3000,
            "scripts": "Ærøskøbing 株式会社 Ελλάς שלום مرحبا",
            "turned": "\u202eabc",
            "deep": {"a": {"b": {"c": {"d": [1, [2, [3]]]}}}},
        }
    )
    tokens = {
        name.replace(" ", "-"): site.token(name)
        for name in ("valid trade_licence sd_jwt_vc", "valid business jwt_vc", "revoked business sd_jwt_vc")
    }
    tokens |= {
        "forged": site.token("valid business jwt_vc")[:-4] + "AAAA",
        "hostile": hostile,
        "unknown": hostile_status(forger),
        "empty": "",
        "wanted": f"id={site.id_of('valid business jwt_vc')}",
    }
    for name, fragment in tokens.items():
        page = VerificationPage(browser, site.page, folder)
        if fragment and not fragment.startswith("id="):
            page.follow(fragment)
        else:
            page.load(fragment)
        for width in (390, 1280):
            for dark in (False, True):
                browser.screenshot(folder / f"{name}-{width}-{'dark' if dark else 'light'}.png", width, dark)
        browser.print(folder / f"{name}.pdf")
    browser.open("https://copy.example/verify/")
    browser.screenshot(folder / "copy-390-light.png", 390, False)
    assert len(list(folder.glob("*.pdf"))) == len(tokens)


def hostile_status(forger):
    return forger.make("jwt_vc", payload={"status": {"status_list": {"idx": 1, "uri": "https://lists.example/1"}}})
