/**
 * The canary's program: a web server in x86-64 machine code that answers whatever is asked with one text. It needs nothing
 * but the Linux kernel, and so its image needs no base to be fetched from anywhere.
 * Format: https://refspecs.linuxfoundation.org/elf/elf.pdf; calls: https://man7.org/linux/man-pages/man2/syscalls.2.html
 */

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;
const CODE_OFFSET = ELF_HEADER + PROGRAM_HEADER;

const SYSCALL = { read: 0, write: 1, close: 3, socket: 41, accept: 43, bind: 49, listen: 50 } as const;

/** @param port that it listens on, on all addresses */
export function answeringProgram(port: number, body: string): Buffer {
  const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  const address = socketAddress(port);
  // Twice: how long the code is does not depend on where what follows it lies.
  const { length } = code(0, 0, response.length);
  const addressAt = LOAD_ADDRESS + CODE_OFFSET + length;
  const instructions = code(addressAt, addressAt + address.length, response.length);
  return Buffer.concat([elfHeader(), programHeader(CODE_OFFSET + length + address.length + response.length), instructions, address, response]);
}

function code(address: number, response: number, responseLength: number): Buffer {
  const start = Buffer.concat([
    // socket(AF_INET, SOCK_STREAM, 0), kept in ebx
    edi(2), esi(1), edx(0), call("socket"), Buffer.from([0x89, 0xc3]),
    ediFromEbx, esi(address), edx(16), call("bind"),
    ediFromEbx, esi(16), call("listen"),
  ]);
  const loop = Buffer.concat([
    // accept(socket, 0, 0), kept in ebp
    ediFromEbx, esi(0), edx(0), call("accept"), Buffer.from([0x89, 0xc5]),
    // read(connection, below the stack, 1024): what is asked does not matter
    ediFromEbp, Buffer.from([0x48, 0x8d, 0xb4, 0x24, 0x00, 0xf8, 0xff, 0xff]), edx(1024), call("read"),
    ediFromEbp, esi(response), edx(responseLength), call("write"),
    ediFromEbp, call("close"),
  ]);
  const back = Buffer.from([0xe9, 0, 0, 0, 0]);
  back.writeInt32LE(-(loop.length + back.length), 1);
  return Buffer.concat([start, loop, back]);
}

/** `mov r32, imm32`. */
function move(opcode: number, value: number): Buffer {
  const instruction = Buffer.alloc(5);
  instruction.writeUInt8(opcode, 0);
  instruction.writeUInt32LE(value, 1);
  return instruction;
}

const edi = (value: number): Buffer => move(0xbf, value);
const esi = (value: number): Buffer => move(0xbe, value);
const edx = (value: number): Buffer => move(0xba, value);
const call = (name: keyof typeof SYSCALL): Buffer => Buffer.concat([move(0xb8, SYSCALL[name]), Buffer.from([0x0f, 0x05])]);
const ediFromEbx = Buffer.from([0x89, 0xdf]);
const ediFromEbp = Buffer.from([0x89, 0xef]);

/** `struct sockaddr_in`: IPv4, the port in network order, every address. */
function socketAddress(port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.writeUInt16BE(port, 2);
  return address;
}

/** 64 bits, little endian, an executable for x86-64 with one program header. */
function elfHeader(): Buffer {
  const header = Buffer.alloc(ELF_HEADER);
  header.write("\u007fELF", 0, "latin1");
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24);
  header.writeBigUInt64LE(BigInt(ELF_HEADER), 32);
  header.writeUInt16LE(ELF_HEADER, 52);
  header.writeUInt16LE(PROGRAM_HEADER, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** The whole file, to be read and run. */
function programHeader(size: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(5, 4);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(0x1000n, 48);
  return header;
}
