import type { X509Certificate } from "node:crypto";
import type { ErrorWord, Failure } from "./error-words.ts";

/** A failed TLS connection: its cause, and a sentence with what the error word cannot say, such as a date. */
export interface TlsFault {
  word: ErrorWord;
  note: string | null;
}

/**
 * The causes that receivers' operators meet, by the code of Node or OpenSSL. Codes that are not listed stay
 * `tls_failed`.
 */
const WORDS: Readonly<Record<string, ErrorWord>> = {
  CERT_HAS_EXPIRED: "certificate_expired",
  CERT_NOT_YET_VALID: "certificate_not_yet_valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate_wrong_name",
  HOSTNAME_MISMATCH: "certificate_wrong_name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate_untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate_untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "certificate_untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate_untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate_untrusted",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls_too_old",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "tls_too_old",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls_missing",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "tls_missing",
  ERR_SSL_HTTP_REQUEST: "tls_missing",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "http2_only",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "client_certificate_required",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "client_certificate_required",
};

/** How to trust a private authority, for the notes about untrusted certificates. */
const TRUST = "The operator of this server can trust a private authority with MAVE_CA_FILE.";

/**
 * Determines the cause of a failed TLS connection.
 * @param certificate the receiver's certificate, if it was received
 * @param host the URL's host
 */
export function tlsFault({ word, code }: Failure, certificate: X509Certificate | null, host: string): TlsFault {
  const cause = WORDS[code];
  if (cause === undefined) return { word, note: null };
  if (certificate === null) return { word: cause, note: null };
  const { subjectAltName = "no host at all", issuer, validFromDate, validToDate } = certificate;
  switch (cause) {
    case "certificate_expired":
      return { word: cause, note: `It expired on ${utc(validToDate)}.` };
    case "certificate_not_yet_valid":
      return { word: cause, note: `It is valid from ${utc(validFromDate)}. Check the clocks of both servers.` };
    case "certificate_wrong_name":
      return { word: cause, note: `It is for ${subjectAltName}, not for ${host}.` };
    case "certificate_untrusted":
      if (code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE" && namesItsIssuer(certificate))
        return { word: "certificate_incomplete", note: `The missing certificate is that of ${nameOf(issuer)}.` };
      return { word: cause, note: `It was issued by ${nameOf(issuer)}. ${TRUST}` };
    default:
      return { word: cause, note: null };
  }
}

/**
 * Whether the certificate says where its issuer's certificate can be downloaded, as those of public authorities do. If
 * such a certificate arrives alone, the intermediate certificate is missing; otherwise, the authority is private.
 */
const namesItsIssuer = ({ infoAccess }: X509Certificate): boolean => infoAccess?.includes("CA Issuers") ?? false;

/** Returns the common name in a distinguished name, or all of it on one line. */
const nameOf = (distinguished: string): string =>
  `“${/^CN=(.+)$/m.exec(distinguished)?.[1] ?? distinguished.replaceAll("\n", ", ")}”`;

const utc = (time: Date): string => `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
