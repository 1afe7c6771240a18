import { join } from 'node:path';
import {
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  type GrpcObject,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { within } from '../../src/testkit/index.ts';

export interface Order {
  id: string;
  count: number;
  content: Buffer;
}

/** What a service of a test does; what it leaves out is UNIMPLEMENTED. */
export interface Shop {
  get?: handleUnaryCall<Order, Partial<Order>>;
  watch?: handleServerStreamingCall<Order, Partial<Order>>;
  upload?: handleClientStreamingCall<Order, Partial<Order>>;
  chat?: handleBidiStreamingCall<Order, Partial<Order>>;
}

/** As the library makes it of the .proto file. */
export interface ShopClient extends Client {
  get(
    order: Partial<Order>,
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, order?: Order) => void,
  ): ClientUnaryCall;
  watch(order: Partial<Order>, metadata?: Metadata, options?: object): ClientReadableStream<Order>;
  upload(
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, order?: Order) => void,
  ): ClientWritableStream<Partial<Order>>;
  chat(metadata?: Metadata, options?: object): ClientDuplexStream<Partial<Order>, Order>;
}

const definition = loadPackageDefinition(
  loadSync(join(import.meta.dirname, 'shop.proto'), { defaults: true }),
) as GrpcObject & { shop: { v1: { Shop: ServiceClientConstructor } } };
const { Shop } = definition.shop.v1;

export interface GrpcServer {
  readonly server: Server;
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function grpcServer(
  shop: Shop,
  secret: { cert: string; key: string } | null = null,
  port = 0,
): Promise<GrpcServer> {
  const server = new Server();
  server.addService(Shop.service, shop as never);
  const pair =
    secret === null
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(secret.key), cert_chain: Buffer.from(secret.cert) },
        ]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, pair, (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  return { server, port: bound, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

export function grpcClient(port: number, ca: string | null = null, options: ChannelOptions = {}): ShopClient {
  const secret: ChannelCredentials =
    ca === null ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca));
  return new Shop(`localhost:${port}`, secret, options) as unknown as ShopClient;
}

/** Everything that came of a call with one answer. */
export interface Outcome {
  order: Order | null;
  error: ServiceError | null;
  /** Initial metadata. */
  metadata: Metadata;
  status: StatusObject;
}

export function get(
  client: ShopClient,
  order: Partial<Order>,
  metadata = new Metadata(),
  options: object = {},
): Promise<Outcome> {
  return outcome((done) => client.get(order, metadata, options, done));
}

/** Of a unary call, or one with a stream of requests. */
export function outcome(
  begin: (
    done: (error: ServiceError | null, order?: Order) => void,
  ) => ClientUnaryCall | ClientWritableStream<Partial<Order>>,
): Promise<Outcome> {
  const got = new Promise<Outcome>((resolve) => {
    let metadata = new Metadata();
    let answer: { error: ServiceError | null; order: Order | null } | null = null;
    let status: StatusObject | null = null;
    const settle = () => {
      if (answer !== null && status !== null) resolve({ ...answer, metadata, status });
    };
    const call = begin((error, order) => {
      answer = { error, order: order ?? null };
      settle();
    });
    call.on('metadata', (got) => {
      metadata = got;
    });
    call.on('status', (got) => {
      status = got;
      settle();
    });
  });
  return within(got, () => 'the call is not over');
}

/** What came on a stream until its status. */
export function collected(
  call: ClientReadableStream<Order> | ClientDuplexStream<Partial<Order>, Order>,
): Promise<{
  orders: Order[];
  status: StatusObject;
}> {
  const orders: Order[] = [];
  call.on('data', (order: Order) => orders.push(order));
  // Told by the status.
  call.on('error', () => {});
  return within(
    new Promise((resolve) => call.on('status', (status) => resolve({ orders, status }))),
    () => `no status; ${orders.length} messages came`,
  );
}
