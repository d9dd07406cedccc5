/** Without the names whose value is undefined: spread over other values, it replaces only what it has. */
export function defined<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values
}
