/** Parts of undici by themselves: all of it takes 9 MB more of a sidecar, and puts a dispatcher of its own among the globals. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'
  export default Pool
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import { ProxyAgent } from 'undici'
  export default ProxyAgent
}
