// How the benchmark commands a Node server: a line of JSON each on standard input, answered by one on standard output.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const TICK_MS = 10;

const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function usage() {
  const { user, system } = process.cpuUsage();
  return { cpu_s: (user + system) / 1e6, rss: process.memoryUsage.rss() };
}

function collected() {
  const began = performance.now();
  globalThis.gc();
  return { pause_ms: performance.now() - began };
}

// Obeys until standard input ends; `happen(text)` makes one event whose text has its number and time, then padding.
export async function obey(hello, happen) {
  let sequence = 0;
  let pad = "";

  async function emit({ rate, count }) {
    const began = performance.now();
    for (let done = 0; done < count; ) {
      const due = Math.min(count, Math.floor(((performance.now() - began) * rate) / 1000) + 1);
      for (; done < due; done += 1) {
        const number = String(sequence + done).padStart(8, "0");
        happen(`#${number}@${String(process.hrtime.bigint()).padStart(19, "0")}${pad}`);
      }
      await sleep(Math.max(TICK_MS, began + (done * 1000) / rate - performance.now()));
    }
    sequence += count;
    return {};
  }

  async function obeyed(command) {
    if (command.emit) return emit(command.emit);
    if (command.usage) return usage();
    if (command.gc) return collected();
    if ("pad" in command) pad = "~".repeat(command.pad);
    return {};
  }

  answer(hello);
  for await (const line of createInterface({ input: process.stdin })) answer(await obeyed(JSON.parse(line)));
  process.exit(0);
}
