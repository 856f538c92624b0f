import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { Tip } from '@/components/Tip'
import { LiveRegion, Toasts } from '@/components/Toasts'
import { Chat } from '@/features/chat/Chat'
import { conversation, forgetConversation, refreshConversation } from '@/features/chat/model/store'
import { focusQuestion, QUESTION_BOX } from '@/features/chat/ui/Composer'
import { CollectionPicker } from '@/features/documents/CollectionPicker'
import { DropLayer } from '@/features/documents/DropLayer'
import { FirstVisit } from '@/features/documents/FirstVisit'
import { UploadChips } from '@/features/documents/UploadChips'
import { UploadMenu } from '@/features/documents/UploadMenu'
import { useUploader, useUploadFeed } from '@/features/documents/useUploader'
import { followSessions, refreshSession, sessions, upsertSession } from '@/features/sessions/store'
import { SourceHost } from '@/features/sources/SourceHost'
import type { Message, Session } from '@/lib/api/types'
import { collections, config } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { navigate, parseRoute, paths, usePath } from '@/lib/router'
import { useStore } from '@/lib/store'
import { Boundary } from './Boundary'
import { Overlays, type Overlay } from './Overlays'
import { RailHost } from './RailHost'
import { StatusBar } from './StatusBar'
import { TopBar } from './TopBar'
import { useCollection } from './useCollection'
import { useShortcuts } from './useShortcuts'
import { useSource } from './useSource'
import styles from './App.module.css'

const DocumentsPage = lazy(() =>
  import('@/features/documents/DocumentsPage').then((module) => ({ default: module.DocumentsPage })),
)

const toNewChat = () => {
  navigate(paths.new())
  requestAnimationFrame(focusQuestion)
}

export function App() {
  const t = useT()
  const path = usePath()
  const route = useMemo(() => parseRoute(path), [path])
  const sessionId = route.name === 'session' ? route.id : null
  const onDocuments = route.name === 'documents'
  const { items } = useStore(sessions)
  const session = items.find((candidate) => candidate.id === sessionId) ?? null
  const [picked, choose] = useCollection(session)
  const collection = onDocuments ? route.collection : picked
  const known = useStore(collections)
  const server = useStore(config)
  const [overlay, setOverlay] = useState<Overlay>(null)
  const [why, setWhy] = useState<Message | null>(null)
  const source = useSource(sessionId)
  const uploader = useUploader(collection)
  useUploadFeed()

  useEffect(
    () =>
      followSessions(
        (event) => (event.deleted ? forgetConversation(event.id) : refreshConversation(event.id)),
        () => {
          const shown = parseRoute(location.pathname)
          if (shown.name === 'session') refreshConversation(shown.id)
        },
      ),
    [],
  )

  // A chat that is older than the loaded part of the list.
  const unknown = sessionId !== null && session === null
  useEffect(() => {
    if (unknown && sessionId) void refreshSession(sessionId)
  }, [unknown, sessionId])

  const title = onDocuments ? t('rail.documents') : session?.title || t('rail.untitled')
  useEffect(() => {
    document.title = sessionId || onDocuments ? `${title} · ${t('app.name')}` : t('app.name')
  }, [title, sessionId, onDocuments, t])

  const escape = () => {
    const inPanel = document.activeElement?.closest('[data-testid=source-panel]') !== null
    const store = sessionId === null ? null : conversation(sessionId)
    if (store?.get().run && !(source.current && inPanel)) {
      void store.stop()
      return true
    }
    if (source.current) {
      source.close()
      return true
    }
    return false
  }
  useShortcuts({
    palette: () => setOverlay((now) => (now === 'palette' ? null : 'palette')),
    newChat: toNewChat,
    focus: focusQuestion,
    help: () => setOverlay('keys'),
    walk: source.walk,
    escape,
  })

  const inScope = known?.filter((each) => collection === null || each.name === collection) ?? null
  const empty = inScope === null ? null : inScope.every((each) => each.indexed_count === 0)
  const busy = inScope?.some((each) => each.document_count > each.failed_count + each.indexed_count) ?? false
  const documentsHref = paths.documents(collection ?? known?.[0]?.name ?? server?.default_collection ?? 'default')

  const created = useCallback((made: Session) => {
    upsertSession(made)
    navigate(paths.session(made.id))
  }, [])
  const newCollection = useCallback(() => setOverlay('new-collection'), [])
  const upload = useCallback((kind: 'files' | 'folder') => uploader.choose(kind), [uploader])

  return (
    <>
      <a className={styles.skip} href={onDocuments ? '#main' : `#${QUESTION_BOX}`}>
        {t(onDocuments ? 'app.skipMain' : 'app.skip')}
      </a>
      <StatusBar />
      <div className={styles.app} data-source={source.current !== null}>
        <RailHost
          current={sessionId}
          documentsHref={documentsHref}
          onDocumentsPage={onDocuments}
          drawer={overlay === 'rail'}
          setOverlay={setOverlay}
          onNew={toNewChat}
        />
        <main id="main" tabIndex={-1} className={styles.main}>
          <TopBar title={title} heading={sessionId !== null} collection={onDocuments ? undefined : collection} onMenu={() => setOverlay('rail')} onNew={toNewChat} />
          <Boundary key={path}>
            {route.name === 'documents' ? (
              <Suspense fallback={null}>
                <DocumentsPage
                  name={route.collection}
                  collection={known?.find((each) => each.name === route.collection) ?? null}
                  onChoose={upload}
                  onCollection={(name) => navigate(paths.documents(name))}
                  onNew={newCollection}
                  onSettings={() => setOverlay('collection-settings')}
                  onAsk={() => {
                    toNewChat()
                    choose(route.collection)
                  }}
                />
              </Suspense>
            ) : route.name === 'lost' ? (
              <p className={styles.crash}>{t('app.notFound')}</p>
            ) : (
              <Chat
                sessionId={sessionId}
                collection={collection}
                empty={empty}
                openSource={source.current && source.message ? { messageId: source.message.id, n: source.current.n } : null}
                onOpenSource={source.open}
                onCollection={choose}
                onCreated={created}
                onUpload={() => upload('files')}
                why={why}
                onWhy={setWhy}
                tools={
                  <>
                    <UploadMenu onChoose={upload} />
                    <CollectionPicker value={collection} onChange={choose} onNew={newCollection} />
                    <UploadChips />
                  </>
                }
                firstVisit={<FirstVisit busy={busy} onChoose={upload} />}
              />
            )}
          </Boundary>
        </main>
        {source.current && (
          <SourceHost
            evidence={source.evidence}
            current={source.current}
            opened={source.count}
            onSelect={source.select}
            onClose={source.close}
            onWhy={() => setWhy(source.message)}
          />
        )}
      </div>
      {onDocuments && (
        <div className={styles.chips}>
          <UploadChips />
        </div>
      )}
      <Overlays
        overlay={overlay}
        setOverlay={setOverlay}
        collection={known?.find((each) => each.name === collection) ?? null}
        documentsHref={documentsHref}
        onNew={toNewChat}
        onUpload={upload}
        onCollectionCreated={(name) => (onDocuments ? navigate(paths.documents(name)) : choose(name))}
      />
      <DropLayer collection={collection ?? server?.default_collection ?? 'default'} onFiles={uploader.add} />
      <Toasts />
      <LiveRegion />
      <Tip />
    </>
  )
}
