/** localStorage that may be full, blocked or absent without the page noticing. */
export const storage = {
  read(key: string): string | null {
    try {
      return localStorage.getItem(`pilothouse.${key}`)
    } catch {
      return null
    }
  },
  write(key: string, value: string | null): void {
    try {
      if (value === null || value === '') localStorage.removeItem(`pilothouse.${key}`)
      else localStorage.setItem(`pilothouse.${key}`, value)
    } catch {
      // Nothing is lost but the convenience.
    }
  },
}
