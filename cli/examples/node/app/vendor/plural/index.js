/** Stands for a package of somebody else's, whose sources were copied into the project. */
export function counted(number, noun) {
  return number === 1 ? `${number} ${noun}` : `${number} ${noun}s`;
}
