// A page may begin with a preview, which lies where its table will be. It goes when the table comes.
(() => {
  "use strict";
  const LONGEST_MS = 15000;
  const begun = performance.now();
  const { pathname } = location;

  // A table is drawn in a narrow column at first. A page without a table has ended its script.
  const isDrawn = () => {
    const canvas = document.querySelector("[data-testid=stDataFrame] canvas");
    if (canvas) return canvas.clientWidth > innerWidth / 2;
    return document.querySelector(
      "[role=dialog], [data-test-script-state=notRunning]" +
        ":has(.stMain [data-testid=stElementContainer]):not(:has([data-testid=stSkeleton]))",
    );
  };

  const look = () => {
    const preview = document.getElementById("preview");
    const isOver = location.pathname !== pathname || performance.now() - begun > LONGEST_MS;
    if (preview === null && document.readyState !== "loading") return;
    // In the frame in which the table appears it may still be empty.
    if (preview && (isOver || isDrawn())) requestAnimationFrame(() => preview.remove());
    else requestAnimationFrame(look);
  };
  look();
})();
