// A little certificate authority, made with the openssl program.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const openssl = (directory, ...args) => execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });

export class Authority {
  constructor(directory, name = 'ca') {
    this.directory = directory;
    this.name = name;
    openssl(directory, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
      '-subj', `/CN=Sluice test ${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
    this.file = path.join(directory, `${name}.pem`);
  }
  get pem() {
    return readFileSync(this.file, 'utf8');
  }
  /** A certificate for `names` (DNS names, or addresses as "IP:127.0.0.1"): `{cert, key}` are files. */
  issue(file, ...names) {
    const alternatives = names.map((name) => (name.startsWith('IP:') ? name : `DNS:${name}`)).join(',');
    writeFileSync(path.join(this.directory, `${file}.ext`), `subjectAltName=${alternatives}\n`);
    openssl(this.directory, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', `/CN=${names[0].replace('IP:', '')}`, '-keyout', `${file}.key`, '-out', `${file}.csr`);
    openssl(this.directory, 'x509', '-req', '-in', `${file}.csr`, '-CA', `${this.name}.pem`, '-CAkey', `${this.name}.key`,
      '-CAcreateserial', '-days', '30', '-extfile', `${file}.ext`, '-out', `${file}.pem`);
    return { cert: path.join(this.directory, `${file}.pem`), key: path.join(this.directory, `${file}.key`) };
  }
}

export const read = ({ cert, key }) => ({ cert: readFileSync(cert), key: readFileSync(key) });
