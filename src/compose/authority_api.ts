export { authorityApi } from '../endpoint/api/api.ts'
