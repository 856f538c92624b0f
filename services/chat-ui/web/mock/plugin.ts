import type { Connect, Plugin } from 'vite'
import { createApi } from './api.ts'

/** The policy that chat-ui sends; the built page must work under it. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

/** An API in memory for developing and looking at the page; PILOTHOUSE_MOCK=empty shows the first visit. */
export function mockApi(): Plugin {
  const serve = (middlewares: Connect.Server) => {
    const handle = createApi(process.env.PILOTHOUSE_MOCK === 'empty')
    middlewares.use((request, response, next) => {
      if (request.url?.startsWith('/api/')) handle(request, response).catch(next)
      else next()
    })
  }
  return {
    name: 'pilothouse-mock-api',
    configureServer: ({ middlewares }) => serve(middlewares),
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use((_request, response, next) => {
        response.setHeader('content-security-policy', CSP)
        next()
      })
      serve(middlewares)
    },
  }
}
