import { Component, type ReactNode } from 'react'
import { Button } from '@/components/Button'
import { tNow } from '@/lib/i18n'
import styles from './App.module.css'

/** A fault in one part leaves the rest of the page working. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <div className={styles.crash} role="alert">
        <p>{tNow('app.crash')}</p>
        <Button onClick={() => location.reload()}>{tNow('app.reload')}</Button>
      </div>
    )
  }
}
