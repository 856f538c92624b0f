import { afterEach, expect, it, vi } from 'vitest'
import { api } from '@/lib/api/endpoints'
import type { Config } from '@/lib/api/types'
import { config, knownConfig, loadConfig } from '@/lib/data/server'

const limits = { limits: { max_question_chars: 7 } } as Config

afterEach(() => {
  config.set(null)
  vi.restoreAllMocks()
})

it('asks once for what several wait for', async () => {
  const answers: ((value: Config) => void)[] = []
  const asked = vi.spyOn(api, 'config').mockImplementation(() => new Promise((resolve) => answers.push(resolve)))
  const first = loadConfig()
  const known = knownConfig()
  expect(asked).toHaveBeenCalledOnce()
  answers[0]?.(limits)
  await first
  expect(await known).toBe(limits)
})

it('asks again after an answer that did not come', async () => {
  vi.spyOn(api, 'config').mockRejectedValueOnce(new Error('offline')).mockResolvedValueOnce(limits)
  expect(await knownConfig()).toBeNull()
  expect(await knownConfig()).toBe(limits)
})
