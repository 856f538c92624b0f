import { vi } from 'vitest'

// The tests run without a browser; this is all that modules read from one when they are imported.
vi.stubGlobal('navigator', { languages: ['en-GB'] })
