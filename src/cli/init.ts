import { existsSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { jsonSchema } from '../config/index.ts';
import { EXIT, UsageError } from './usage.ts';

/** `tidegate init`: writes a commented config to start with; never over a file that is there. Gives the exit code. */
export function init(file: string): number {
  if (!['.yaml', '.yml'].includes(extname(file)))
    throw new UsageError(`"${file}" is not the name of a .yaml file`);
  try {
    writeFileSync(file, starter(`./${SCHEMA_FILE}`), { flag: 'wx' });
    writeSchema(dirname(file));
  } catch (error) {
    process.stderr.write(`${trouble(file, error as NodeJS.ErrnoException)}\n`);
    return EXIT.input;
  }
  process.stdout.write(`${file} is written. Next:\n  tidegate check ${file}\n  tidegate run ${file}\n`);
  return EXIT.ok;
}

function trouble(file: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EEXIST':
      return `${file} is there already, and stays as it is; name another file, or remove it first`;
    case 'ENOENT':
      return `${file} cannot be written: its folder does not exist`;
    default:
      return `${file} cannot be written: ${error.message}`;
  }
}

function starter(schema: string): string {
  return `# yaml-language-server: $schema=${schema}
#
# Tidegate's configuration. "tidegate check" finds everything that is wrong with it, "tidegate run" runs it;
# a running gateway takes over changes of this file as soon as it is saved.

listen: 127.0.0.1:8080          # where requests come in; 0.0.0.0:8080 for all addresses
admin: 127.0.0.1:9901           # health and status, for this machine alone; false switches it off

# The services behind the gateway, by names of your choice.
services:
  catalogue: { url: http://127.0.0.1:4001, timeout: 2s }
  # ordering:
  #   targets: [ http://127.0.0.1:4003, { url: http://127.0.0.1:4013, weight: 2 } ]

# What holds for every route; a route's own key replaces it.
defaults:
  response: { headers: { set: { x-frame-options: DENY } } }

# Which request goes where. The order does not matter: the more exact path wins.
routes:
  # Everything below /catalogue goes to the service, with the path as it is.
  catalogue:
    match: /catalogue/*
    to: catalogue

  # One method, one placeholder, another path at the service. Text with braces stands in quotes.
  product:
    match: { path: '/products/{sku~[A-Z0-9-]+}', method: GET }
    to: { service: catalogue, path: '/catalogue/products/{params.sku}' }

  # The gateway's own answer: try curl http://127.0.0.1:8080/hello
  hello:
    match: /hello
    respond: { json: { hello: '{request.ip}' } }

  # Sends the client elsewhere.
  old:
    match: /shop/*
    redirect: { path: '/catalogue/*' }
`;
}

const SCHEMA_FILE = 'tidegate.schema.json';

/** The schema goes beside the config: so it is there offline, and for everyone who has the folder. */
function writeSchema(folder: string): void {
  const file = join(folder, SCHEMA_FILE);
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
}
