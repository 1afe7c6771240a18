const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const IMF = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * Milliseconds since 1970 of an HTTP-date in any of its three forms (RFC 9110 §5.6.7), null if it is none.
 * `now`, in the same unit, places the two-digit year of the RFC 850 form.
 */
export function parseHttpDate(text: string, now: number): number | null {
  const imf = IMF.exec(text);
  if (imf !== null) return instant(imf[3]!, imf[2]!, imf[1]!, imf[4]!, imf[5]!, imf[6]!);
  const old = RFC_850.exec(text);
  if (old !== null) return instant(fullYear(old[3]!, now), old[2]!, old[1]!, old[4]!, old[5]!, old[6]!);
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return null;
  return instant(asctime[6]!, asctime[1]!, asctime[2]!, asctime[3]!, asctime[4]!, asctime[5]!);
}

/** The IMF-fixdate of a time in milliseconds. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}

/** A two-digit year that seems more than 50 years ahead is the latest past year with these digits. */
function fullYear(digits: string, now: number): string {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return String(year > thisYear + 50 ? year - 100 : year);
}

function instant(
  year: string,
  monthName: string,
  day: string,
  hour: string,
  minute: string,
  second: string,
): number | null {
  const month = MONTHS.indexOf(monthName);
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(year), month, Number(day));
  if (midnight.getUTCDate() !== Number(day) || midnight.getUTCMonth() !== month) return null;
  return midnight.getTime() + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000;
}
