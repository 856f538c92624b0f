import { useState } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { api } from '@/lib/api/endpoints'
import type { Collection } from '@/lib/api/types'
import { showToast } from '@/lib/data/live'
import { collectionLabel } from '@/lib/data/names'
import { config, loadCollections } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import styles from './CollectionSettings.module.css'

type Access = 'everyone' | 'me' | 'custom'

interface CollectionSettingsProps {
  collection: Collection
  onClose: () => void
  onDeleted: () => void
}

export function CollectionSettings({ collection, onClose, onDeleted }: CollectionSettingsProps) {
  const t = useT()
  const me = `user:${useStore(config)?.principal.subject ?? 'local'}`
  const [description, setDescription] = useState(collection.description ?? '')
  const { readers } = collection.access
  const before: Access = readers.includes('everyone') ? 'everyone' : readers.every((grant) => grant === me) ? 'me' : 'custom'
  const [access, setAccess] = useState<Access>(before)
  const [sure, setSure] = useState(false)
  const label = collectionLabel(collection.name, t)

  const attempt = async (work: () => Promise<unknown>, said: string) => {
    try {
      await work()
      await loadCollections()
      onClose()
      showToast(said)
      return true
    } catch (error) {
      showToast(error instanceof Error ? error.message : t('upload.why.unknown'), { tone: 'bad' })
      return false
    }
  }
  const save = () =>
    attempt(() => {
      const changed = access !== before && access !== 'custom'
      const readable = { ...collection.access, readers: [access === 'everyone' ? 'everyone' : me] }
      return api.putCollection(collection.name, { description: description.trim(), ...(changed ? { access: readable } : {}) })
    }, t('collection.saved'))
  const remove = async () => {
    if (await attempt(() => api.deleteCollection(collection.name), t('collection.deleted', { name: label }))) onDeleted()
  }

  const options = [
    { value: 'everyone' as const, label: t('collection.everyone') },
    { value: 'me' as const, label: t('collection.onlyMe') },
    ...(before === 'custom' ? [{ value: 'custom' as const, label: t('collection.custom', { grants: readers.join(', ') }) }] : []),
  ]
  return (
    <Dialog title={`${t('collection.settings')}: ${label}`} onClose={onClose}>
      <Field.Form
        onSubmit={() => void save()}
        actions={
          <>
            <Button onClick={onClose}>{t('app.cancel')}</Button>
            <Button tone="primary" type="submit">
              {t('app.save')}
            </Button>
          </>
        }
      >
        <Field.Text label={t('collection.description')} value={description} onText={setDescription} />
        <Field.Choice legend={t('collection.access')} value={access} options={options} onChange={setAccess} />
      </Field.Form>
      <div className={styles.delete}>
        {sure ? (
          <>
            <p>{t('collection.deleteSure', { name: label, n: collection.document_count })}</p>
            <div>
              <Button onClick={() => setSure(false)}>{t('app.cancel')}</Button>
              <Button tone="bad" onClick={() => void remove()}>
                {t('app.delete')}
              </Button>
            </div>
          </>
        ) : (
          <Button tone="bad" onClick={() => setSure(true)}>
            {t('collection.delete')}
          </Button>
        )}
      </div>
    </Dialog>
  )
}
