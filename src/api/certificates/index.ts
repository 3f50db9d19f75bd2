import { CertificateSigningRequest } from "./certificate-signing-request.ts";

export { CertificateSigningRequest };
export const resources = [CertificateSigningRequest];
