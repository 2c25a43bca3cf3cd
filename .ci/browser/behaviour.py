"""What the page promises beside its verdicts: SECURITY.md, "The verification page"."""
def framing_site(folder):
    return folder
def check(*a): pass
def take_pictures(*a): pass
