import { useCallback, useEffect } from 'react'
import { showToast } from '@/lib/data/live'
import { config } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { pickFiles } from './pick'
import { addFiles, documentChanged, type PickedFile } from './uploads'
import { onDocumentChange } from './watch'

/** Adds files to a collection, however they were chosen. */
export function useUploader(collection: string | null) {
  const t = useT()
  const add = useCallback(
    (files: readonly PickedFile[]) => {
      addFiles(collection, files).catch((error: unknown) => {
        const words = error instanceof Error ? error.message : ''
        showToast(words || t('upload.why.unknown'), { tone: 'bad' })
      })
    },
    [collection, t],
  )
  const choose = useCallback(
    (kind: 'files' | 'folder') => {
      void pickFiles(kind, config.get()?.formats ?? []).then(add)
    },
    [add],
  )
  return { add, choose }
}

/** Chips follow their documents; mounted once. */
export function useUploadFeed(): void {
  useEffect(
    () =>
      onDocumentChange((change) => {
        if ('document' in change) documentChanged(change.document)
      }),
    [],
  )
}
