const units: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1_024,
  Mi: 1_048_576,
  Gi: 1_073_741_824,
  Ti: 1_099_511_627_776,
}

/** What a quantity of Kubernetes comes to, in cores or bytes. Undefined: it is written in a way that is not read here. */
export function amountOf(quantity: string): number | undefined {
  const [, number = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$/.exec(quantity) ?? []
  // By its own members alone: `constructor` is no unit.
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  return number === '' || factor === undefined ? undefined : Number(number) * factor
}
