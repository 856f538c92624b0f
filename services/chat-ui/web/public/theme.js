// Runs before the first paint, so that a chosen theme or language never flashes its opposite.
;(() => {
  try {
    const { theme, language } = JSON.parse(localStorage.getItem('pilothouse.settings') ?? '{}')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
    if (language === 'en' || language === 'vi') document.documentElement.lang = language
    if (language === 'zh') document.documentElement.lang = 'zh-Hans'
  } catch {
    // Storage may be blocked; the system's theme is the default.
  }
})()
