/**
 * A server that the desk stands on does not answer for as long as patience lasts, or refuses who asks. What was being
 * written may be there or not: the same asked again tells.
 */
export class Unavailable extends Error {}
