import {
  type NatsConnection,
  NatsConnectionImpl,
  type NodeConnectionOptions,
  setTransportFactory,
} from '@nats-io/transport-node';
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js';

/** The client's own, whose `close` leaves a socket open on which the server has said nothing yet, for as long as it is silent. */
class ClosingTransport extends NodeTransport {
  override async close(error?: Error): Promise<void> {
    if (this.connected) return await super.close(error);
    this.discard();
  }
}

/** As the client's own `connect`; once it has rejected, nothing of it is left. */
export async function connect(options: NodeConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new ClosingTransport(), dnsResolveFn: nodeResolveHost });
  return await NatsConnectionImpl.connect(options);
}
