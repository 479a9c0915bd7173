/** The built program; `BENCH_PROGRAM` names another build than that of `npm run build`. */
export function programFile(): string {
  return process.env['BENCH_PROGRAM'] ?? 'dist/main.js'
}
