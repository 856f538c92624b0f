const GAP = 6
const EDGE = 8

/** Puts a box in the top layer next to an anchor, on the other side when there is no room. */
export function place(box: HTMLElement, anchor: DOMRect, side: 'top' | 'bottom', align: 'start' | 'end'): void {
  const { offsetWidth: width, offsetHeight: height } = box
  const above = anchor.top - GAP - EDGE
  const below = innerHeight - anchor.bottom - GAP - EDGE
  const onTop = side === 'top' ? above >= height || above >= below : below < height && above > below
  const top = onTop ? Math.max(EDGE, anchor.top - GAP - height) : anchor.bottom + GAP
  const wanted = align === 'start' ? anchor.left : anchor.right - width
  const left = Math.min(Math.max(EDGE, wanted), innerWidth - width - EDGE)
  // Set through the CSSOM, which a strict style-src allows.
  box.style.setProperty('--top', `${top}px`)
  box.style.setProperty('--left', `${left}px`)
  box.style.setProperty('--room', `${Math.max(above, below)}px`)
  box.dataset.placed = ''
}
