"""The page as a reader uses it: pasting, opening files, following links."""

import base64

# Waits until the page has a verdict, or says why there is none.
OUTCOME = """
const outcome = () => {
  const [verdict, problem] = [document.getElementById('verdict'), document.getElementById('problem')];
  if (document.body.ariaBusy === 'true') return null;
  if (!document.getElementById('result').hidden && verdict) {
    return {...verdict.dataset, text: document.getElementById('result').textContent, address: location.href};
  }
  return problem.hidden ? null : {problem: problem.textContent, address: location.href};
};
const settled = () => new Promise((resolve) => {
  if (outcome()) return resolve(outcome());
  const observer = new MutationObserver(() => { if (outcome()) { observer.disconnect(); resolve(outcome()); } });
  observer.observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
});
"""

FILL = """
const [text, nonce, audience] = arguments;
const set = (id, value) => { document.getElementById(id).value = value; };
[...document.querySelectorAll('button')].find((button) => button.textContent === 'Check another')?.click();
document.getElementById('problem').hidden = true;
set('token', text); set('nonce', nonce); set('audience', audience);
"""


class VerificationPage:
    """The page of a site, in a browser."""

    def __init__(self, browser, url, folder):
        self.browser, self.url, self.folder = browser, url, folder
        self.loads, self.address = 0, url
        self.browser.open(url)

    def paste(self, case):
        """Puts the text into the form, and sends it."""
        script = FILL + OUTCOME + "document.getElementById('form').requestSubmit(); return settled();"
        return self.browser.run(script, case.text, case.nonce or "", case.audience)

    def upload(self, case):
        """Opens a file that holds the text."""
        path = self.folder / "token.txt"
        path.write_text(case.text, encoding="utf-8")
        self.browser.run(FILL, "", case.nonce or "", case.audience)
        self.browser.send_file("#file", path)
        return self.browser.run(OUTCOME + "return settled();")

    def drop(self, case):
        """Drops a file that holds the text on the page."""
        script = FILL + OUTCOME + """
        const bytes = Uint8Array.from(atob(arguments[3]), (character) => character.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], 'credential.jwt'));
        const drop = new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: transfer});
        document.querySelector('h1').dispatchEvent(drop);
        return new Promise((resolve) => setTimeout(resolve)).then(settled);
        """
        encoded = base64.b64encode(case.text.encode()).decode()
        return self.browser.run(script, "", case.nonce or "", case.audience, encoded)

    def follow(self, fragment):
        """Follows a link to the page, and waits for the verdict."""
        self.load(fragment)
        return self.browser.run(OUTCOME + "return settled();")

    def load(self, fragment=""):
        """Loads the page anew, which a link to another fragment of it alone would not do."""
        self.loads += 1
        self.address = f"{self.url}?{self.loads}"
        self.browser.open(f"{self.address}#{fragment}")

    def judge(self, case, turn):
        """Judges a case in the way whose turn it is, as far as it can be given in that way."""
        is_url_safe = all(
            character.isascii() and (character.isalnum() or character in "-_.~") for character in case.text
        )
        if len(case.text) > 100_000:
            return self.upload(case)
        if turn % 4 == 1 and is_url_safe and case.text and not case.nonce and not case.audience:
            return self.follow(case.text)
        if turn % 4 == 2:
            return self.upload(case)
        return self.drop(case) if turn % 4 == 3 else self.paste(case)
