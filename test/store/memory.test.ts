import { memoryStore } from '../../src/store/memory.ts'
import { storeConformance } from './conformance.ts'

storeConformance('memory', () => {
  const store = memoryStore()
  return Promise.resolve({ ways: [store, store] as const, close: () => store.close() })
})
