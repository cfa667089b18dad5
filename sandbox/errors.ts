/** What the administrator asked for cannot be; the message is one line that names the thing and the way out. */
export class InputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InputError";
  }
}
