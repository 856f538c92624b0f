import type { PickedFile } from './uploads'

/** Lets the person choose files or a folder; nothing is chosen when they cancel. */
export function pickFiles(kind: 'files' | 'folder', accept: readonly string[]): Promise<PickedFile[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.multiple = true
    if (kind === 'folder') input.webkitdirectory = true
    else input.accept = accept.join(',')
    input.onchange = () => {
      const files = [...(input.files ?? [])]
      resolve(files.filter(isWanted).map((file) => ({ file, path: file.webkitRelativePath || null })))
    }
    input.oncancel = () => resolve([])
    input.click()
  })
}

/** Files of a drop, folders opened to their last level. */
export async function droppedFiles(transfer: DataTransfer): Promise<PickedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return [...transfer.files].map((file) => ({ file, path: null }))
  const nested = await Promise.all(entries.map((entry) => filesOf(entry)))
  return nested.flat()
}

async function filesOf(entry: FileSystemEntry): Promise<PickedFile[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    const inFolder = entry.fullPath.indexOf('/', 1) > 0
    return isWanted(file) ? [{ file, path: inFolder ? entry.fullPath.slice(1) : null }] : []
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const children: FileSystemEntry[] = []
  for (;;) {
    // A directory is read in portions; an empty one is the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) break
    children.push(...part)
  }
  const nested = await Promise.all(children.map((child) => filesOf(child)))
  return nested.flat()
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile

/** `.DS_Store` and its kind are not documents. */
const isWanted = (file: File) => !file.name.startsWith('.')
