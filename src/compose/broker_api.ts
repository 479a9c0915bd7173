export { brokerApi } from '../broker/api/api.ts'
