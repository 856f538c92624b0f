import { useId, useState } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { api } from '@/lib/api/endpoints'
import { collections, loadCollections } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { slug } from './slug'

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

export function NewCollection({ onClose, onCreated }: { onClose: () => void; onCreated: (name: string) => void }) {
  const t = useT()
  const form = useId()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [error, setError] = useState<string | null>(null)
  const save = async () => {
    const wanted = name.replace(/-+$/, '')
    if (!NAME.test(wanted)) return setError(t('collection.nameBad'))
    if (collections.get()?.some((collection) => collection.name === wanted)) return setError(t('collection.nameTaken'))
    try {
      await api.putCollection(wanted, description.trim() ? { description: description.trim() } : {})
      await loadCollections()
      onClose()
      onCreated(wanted)
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : t('collection.nameBad'))
    }
  }
  return (
    <Dialog title={t('collection.newTitle')} onClose={onClose}>
      <Field.Form
        id={form}
        onSubmit={() => void save()}
        actions={
          <>
            <Button onClick={onClose}>{t('app.cancel')}</Button>
            <Button tone="primary" type="submit" disabled={!name}>
              {t('collection.create')}
            </Button>
          </>
        }
      >
        <Field.Text
          label={t('collection.name')}
          help={t('collection.nameHelp')}
          error={error}
          value={name}
          onText={(text) => {
            setName(slug(text))
            setError(null)
          }}
        />
        <Field.Text label={t('collection.description')} value={description} onText={setDescription} />
      </Field.Form>
    </Dialog>
  )
}
