// Putting disclosures where they belong (RFC 9901 section 7.1).

// Claims that judge the credential, which nobody may withhold (SD-JWT VC section 2.2.2.2).
const NEVER_DISCLOSABLE = ['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'aka_vcts', 'status'];

const badDisclosure = (message) => new Refusal('disclosure_invalid', 'disclosures', message);

// The payload with its disclosures in their places, and how many digests no disclosure explains: claims that were
// withheld, or decoys.
async function putIn(payload, disclosures) {
  if (payload.has('_sd_alg') && payload.get('_sd_alg') !== 'sha-256')
    throw badDisclosure('Its disclosures are hashed in an unknown way.');
  const opened = disclosures.map(readDisclosure);
  const digests = await Promise.all(disclosures.map(digestOfText));
  const byDigest = new Map(opened.map((disclosure, at) => [digests[at], disclosure]));
  if (byDigest.size < opened.length) throw badDisclosure('A disclosure is there twice.');
  const walk = new DisclosureWalk(byDigest);
  const disclosed = walk.object(payload);
  if (opened.some((disclosure) => !disclosure.isUsed))
    throw badDisclosure('A disclosure belongs to nothing that was signed.');
  checkNeverDisclosable(payload, opened);
  return { payload: disclosed, withheld: walk.withheld };
}

// A disclosure: `[salt, name, value]` of an object's member, `[salt, value]` of an array's element.
function readDisclosure(text) {
  const bytes = fromBase64url(text);
  const json = bytes && fromUtf8(bytes);
  if (json === null) throw badDisclosure('A disclosure is not base64url text.');
  let elements;
  try {
    elements = parseJson(json);
  } catch (error) {
    if (error instanceof NotJson) throw badDisclosure('A disclosure is not clear JSON.');
    throw error;
  }
  const isSound = Array.isArray(elements) && [2, 3].includes(elements.length) && elements.slice(0, -1).every(isText);
  if (!isSound) throw badDisclosure('A disclosure is not an array of salt, name and value.');
  const name = elements.length === 3 ? elements[1] : undefined;
  if (['_sd', '...', '_sd_alg'].includes(name)) throw badDisclosure('A disclosure has a name that is not allowed.');
  return { name, value: elements.at(-1), isUsed: false, topLevel: undefined };
}

// The walk over a payload and the disclosures that it leads to.
class DisclosureWalk {
  constructor(byDigest) {
    this.byDigest = byDigest;
    this.met = new Set();
    this.depth = 0;
    this.withheld = 0;
    this.topLevel = undefined;
  }

  value(value) {
    if (isObject(value)) return this.object(value);
    return Array.isArray(value) ? this.array(value) : value;
  }

  enter(read) {
    if (this.depth === MAX_DEPTH) throw badDisclosure('Its claims are nested too deeply.');
    this.depth += 1;
    const result = read();
    this.depth -= 1;
    return result;
  }

  // Remembers which claim at the top level is walked through.
  under(name, read) {
    if (this.depth > 1) return read();
    this.topLevel = name;
    return read();
  }

  object(object) {
    return this.enter(() => {
      const result = new Map();
      for (const [name, value] of object) {
        if (name === '_sd') continue;
        if (name === '_sd_alg' && this.depth === 1) continue;
        if (name === '_sd_alg' || name === '...')
          throw badDisclosure('A name of the format stands in a place that is not its own.');
        result.set(
          name,
          this.under(name, () => this.value(value)),
        );
      }
      if (object.has('_sd')) this.disclosedMembers(object, result);
      return result;
    });
  }

  disclosedMembers(object, result) {
    const digests = object.get('_sd');
    if (!Array.isArray(digests) || !digests.every(isText)) throw badDisclosure('Its digests are not an array of text.');
    for (const digest of digests) {
      const disclosure = this.meet(digest);
      if (!disclosure) continue;
      const { name } = disclosure;
      if (name === undefined) throw badDisclosure('An element of an array stands in the place of a member.');
      if (object.has(name) || result.has(name)) throw badDisclosure('A disclosure repeats a claim that is there.');
      result.set(
        name,
        this.under(name, () => this.disclosed(disclosure)),
      );
    }
  }

  array(array) {
    return this.enter(() => {
      const result = [];
      for (const element of array) {
        if (member(element, '...') === undefined) {
          result.push(this.value(element));
          continue;
        }
        const disclosure = this.disclosedElement(element);
        if (disclosure) result.push(this.disclosed(disclosure));
      }
      return result;
    });
  }

  // The disclosure that an element `{"...": digest}` stands for, if it is there.
  disclosedElement(element) {
    const digest = element.get('...');
    if (!isText(digest) || element.size !== 1)
      throw badDisclosure('A name of the format stands in a place that is not its own.');
    const disclosure = this.meet(digest);
    if (disclosure && disclosure.name !== undefined)
      throw badDisclosure('A member of an object stands in the place of an element.');
    return disclosure;
  }

  // Notes a digest, which may occur once, and gives the disclosure that it belongs to.
  meet(digest) {
    if (this.met.has(digest)) throw badDisclosure('A digest is there twice.');
    this.met.add(digest);
    const disclosure = this.byDigest.get(digest);
    if (!disclosure) this.withheld += 1;
    return disclosure;
  }

  disclosed(disclosure) {
    disclosure.isUsed = true;
    disclosure.topLevel = this.topLevel;
    return this.value(disclosure.value);
  }
}

// Neither as a whole nor in part.
function checkNeverDisclosable(payload, opened) {
  const inPart = ([name, value]) => NEVER_DISCLOSABLE.includes(name) && isContainer(value) && holdsDigests(value);
  if (opened.some(({ topLevel }) => NEVER_DISCLOSABLE.includes(topLevel)) || Array.from(payload).some(inPart)) {
    throw badDisclosure('A claim that nobody may withhold is disclosable.');
  }
}

function holdsDigests(value) {
  if (Array.isArray(value)) return value.some(holdsDigests);
  return (
    isObject(value) &&
    Array.from(value).some(([name, inner]) => name === '_sd' || name === '...' || holdsDigests(inner))
  );
}
