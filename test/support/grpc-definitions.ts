// A service of the generated messages as a client of gRPC takes it. Knows no service in particular.

import { create, fromBinary, toBinary, type DescMethod, type DescService } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

export function definitionOf(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.name, methodOf(service, method)]));
}

function methodOf(
  service: DescService,
  { name, methodKind, input, output }: DescMethod,
): MethodDefinition<Record<string, unknown>, Record<string, unknown>> {
  return {
    path: `/${service.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: (message) => Buffer.from(toBinary(input, create(input, message))),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(output, create(output, message))),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}
