import { useEffect, useRef, useState } from 'react'
import { collectionLabel } from '@/lib/data/names'
import { useT } from '@/lib/i18n'
import { droppedFiles } from './pick'
import type { PickedFile } from './uploads'
import styles from './DropLayer.module.css'

/** Files may be dropped anywhere on the page. */
export function DropLayer({ collection, onFiles }: { collection: string | null; onFiles: (files: PickedFile[]) => void }) {
  const t = useT()
  const [over, setOver] = useState(false)
  const depth = useRef(0)
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return
      depth.current++
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return
      depth.current = Math.max(0, depth.current - 1)
      if (depth.current === 0) setOver(false)
    }
    const hold = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault()
    }
    const drop = (event: DragEvent) => {
      depth.current = 0
      setOver(false)
      if (!event.dataTransfer || !hasFiles(event)) return
      event.preventDefault()
      void droppedFiles(event.dataTransfer).then(onFiles)
    }
    addEventListener('dragenter', enter)
    addEventListener('dragleave', leave)
    addEventListener('dragover', hold)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragenter', enter)
      removeEventListener('dragleave', leave)
      removeEventListener('dragover', hold)
      removeEventListener('drop', drop)
    }
  }, [onFiles])
  if (!over) return null
  return (
    <div className={styles.layer}>
      <p>{t('upload.drop', { name: collectionLabel(collection, t) })}</p>
    </div>
  )
}
