interface Resolved {
  url: string
}

/**
 * Finds `headrace` for modules that lie where it is not installed, such as a visitor for a command line that was installed
 * globally: they get the package that this loader belongs to.
 */
export async function resolve(
  specifier: string,
  context: object,
  nextResolve: (specifier: string, context: object) => Promise<Resolved>,
): Promise<Resolved> {
  if (!/^headrace(?:\/|$)/.test(specifier)) return nextResolve(specifier, context)
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    // A package can import itself by its name.
    return nextResolve(specifier, { ...context, parentURL: import.meta.url })
  }
}
