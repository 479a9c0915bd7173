import { PREFIX, type AnnotationName } from './annotation_names.ts'
import { amountOf } from './quantity.ts'
import { InjectionRefusal } from './refusal.ts'

const MAX_LIST = 100
/** Admission comes before validation: the API server lets megabytes come this far. */
const MAX_LIST_LENGTH = 32_768
const quantity = /^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi)?$/

/** Reads the values of annotations, and remembers the first thing that is wrong. A value that is wrong is never quoted. */
export class AnnotationReader {
  refusal: InjectionRefusal | undefined
  readonly #annotations: Readonly<Record<string, string>>
  constructor(annotations: Readonly<Record<string, string>>) {
    this.#annotations = annotations
  }

  has(name: AnnotationName): boolean {
    return this.#annotations[PREFIX + name] !== undefined
  }

  text(name: AnnotationName, form: RegExp, what: string): string | undefined {
    const value = this.#annotations[PREFIX + name]
    if (value === undefined || form.test(value)) return value
    this.refuse(name, `must be ${what}`)
    return undefined
  }

  oneOf<Value extends string>(name: AnnotationName, values: readonly Value[]): Value | undefined {
    const value = this.#annotations[PREFIX + name]
    const found = values.find((one) => one === value)
    if (value !== undefined && found === undefined) {
      this.refuse(name, `must be one of ${values.join(', ')}`)
    }
    return found
  }

  list(name: AnnotationName, form: RegExp): readonly string[] | undefined {
    const value = this.#annotations[PREFIX + name]
    if (value === undefined) return undefined
    const isShort = value.length <= MAX_LIST_LENGTH
    const parts = (isShort ? value : '').split(/[\s,]+/).filter((part) => part !== '')
    if (parts.length > 0 && parts.length <= MAX_LIST && parts.every((part) => form.test(part))) {
      return [...new Set(parts)]
    }
    this.refuse(name, `must be names, separated by commas, ${String(MAX_LIST)} at most`)
    return undefined
  }

  port(name: AnnotationName): number | undefined {
    const value = this.#annotations[PREFIX + name]
    if (value === undefined) return undefined
    const port = /^[0-9]{4,5}$/.test(value) ? Number(value) : 0
    if (port >= 1_024 && port <= 65_535) return port
    this.refuse(name, 'must be a port from 1024 to 65535')
    return undefined
  }

  /** A quantity of Kubernetes between two others. */
  quantity(name: AnnotationName, least: string, most: string): string | undefined {
    const value = this.#annotations[PREFIX + name]
    if (value === undefined) return undefined
    const amount = quantity.test(value) ? amountOf(value) : undefined
    const [from = 0, to = 0] = [amountOf(least), amountOf(most)]
    if (amount !== undefined && amount >= from && amount <= to) return value
    this.refuse(name, `must be a quantity from ${least} to ${most}`)
    return undefined
  }

  refuse(name: AnnotationName, what: string): void {
    this.refusal ??= new InjectionRefusal(`the annotation ${PREFIX}${name} ${what}`)
  }
}
