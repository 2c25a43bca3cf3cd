// Times in tokens, without rounding that would help anybody. A fraction of a second is rounded up, which changes no
// comparison with a whole second.

const badClaim = (message, step = 'claims') => new Refusal('schema_invalid', step, message);

// A NumericDate (RFC 7519 section 2).
function numericDate(claim, value) {
  if (!(value instanceof Numeral)) throw badClaim(`“${claim}” is not a time in seconds.`);
  return { claim, seconds: Math.ceil(Number(value.text)) };
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

// A date-time with its zone (VC Data Model 2.0 section 4.9: dateTimeStamp, which has no leap seconds).
function dateTime(claim, value) {
  const seconds = isText(value) ? secondsOfDateTime(value) : null;
  if (seconds === null) throw badClaim(`“${claim}” is not a date-time with a time zone.`);
  return { claim, seconds };
}

function secondsOfDateTime(text) {
  const found = DATE_TIME.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const [fraction, sign, hours, minutes] = found.slice(7);
  const offset = sign ? (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60) : 0;
  const isPartial = fraction !== undefined && /[1-9]/.test(fraction.slice(1, 10));
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset + (isPartial ? 1 : 0);
}

// The times of these members, where they are there: `[name, read]`.
const timesOf = (object, ...members) =>
  members.filter(([name]) => object.has(name)).map(([name, read]) => read(name, object.get(name)));

// A token is valid while start <= now < end, by all its dates (RFC 7519 section 4.1.4).
function checkPeriod(starts, ends, now, refuse) {
  const end = ends.find(({ seconds }) => now >= seconds);
  if (end) throw refuse('expired', `Its end was ${inWords(end.seconds)}.`);
  const start = starts.find(({ seconds }) => now < seconds);
  if (start) throw refuse('not_yet_valid', `It begins ${inWords(start.seconds)}.`);
}

// A time in the reader's language, in UTC, so that everybody reads the same.
function inWords(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return 'after the year 9999';
  if (seconds < 0) return 'before 1970';
  const format = new Intl.DateTimeFormat(navigator.language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  return `${format.format(date)} UTC`;
}
