// Files that a config imports as their text, for the type checker: `import fix from './fix.patch'`. Other projects name
// it in their tsconfig.json: "types": ["cairn-build/text-files"].

declare module '*.patch' {
  const text: string;
  export default text;
}

declare module '*.txt' {
  const text: string;
  export default text;
}

declare module '*.sh' {
  const text: string;
  export default text;
}

declare module '*.conf' {
  const text: string;
  export default text;
}

declare module '*.py' {
  const text: string;
  export default text;
}

declare module '*.service' {
  const text: string;
  export default text;
}
