// What went wrong with a connection, in words.

export function describeFailure(error: unknown): string {
  // A connection that was refused at several addresses of a name has a code only.
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return typeof message === 'string' && message !== '' ? message : String(code ?? error);
}
