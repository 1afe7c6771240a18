/** An error of the server as a sentence that says what would mend it. */
export function adviceFor(error: Error & { errno?: number; code?: unknown }): string {
  const { message } = error;
  if (error.errno === 1045 || error.errno === 1227 || error.errno === 1142)
    return `${message}; ${error.errno === 1045 ? 'is the password right? ' : ''}the user needs GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* and SELECT on the tables`;
  if (error.errno === 1236 && /server_uuid\/server_id|same server_id/i.test(message))
    return `${message}; give changes.*.mysql.serverId a number of its own`;
  if (error.code === 'ECONNREFUSED')
    return 'the server refuses connections: is it running, and is the port right?';
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return "the name of the server's host cannot be resolved";
  return message;
}
