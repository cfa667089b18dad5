/** Wrong usage or unreadable input: one line for the person who gave it, exit code 2. */
export class InputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InputError";
  }
}
