/* Every key, in one place. */
import { Dialog } from "../components/Dialog";
import { useI18n, type Key } from "../i18n/i18n";
import { PAGES } from "../pages";
import css from "./Palette.module.css";

const GROUPS: { title: Key; keys: [string[], Key][] }[] = [
    {
        title: "keys.everywhere",
        keys: [
            [["Ctrl", "K"], "keys.palette"],
            [["?"], "keys.map"],
            [["/"], "keys.search"],
            [["1–9"], "keys.tabs"],
            [["Esc"], "keys.close"],
        ],
    },
    {
        title: "keys.lists",
        keys: [
            [["j", "k"], "keys.move"],
            [["Enter"], "keys.open"],
            [["x"], "keys.select"],
            [["X"], "keys.select_range"],
            [["Home", "End"], "keys.ends"],
        ],
    },
    {
        title: "keys.charts",
        keys: [
            [["←", "→"], "keys.cursor"],
            [["+", "−"], "keys.zoom"],
            [["0"], "keys.reset"],
        ],
    },
    {
        title: "keys.files",
        keys: [
            [["↑", "↓"], "keys.move"],
            [["→", "←"], "keys.unfold"],
            [["Enter"], "keys.show"],
        ],
    },
    {
        title: "keys.drawing",
        keys: [
            [["←", "→", "↑", "↓"], "keys.pen"],
            [["Space"], "keys.ink"],
            [["Backspace"], "keys.clear"],
        ],
    },
];

function Keys({ keys }: { keys: string[] }) {
    return (
        <span className={css.keys}>
            {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
            ))}
        </span>
    );
}

export function KeyMap({ open, onClose }: { open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    return (
        <Dialog open={open} onClose={onClose} title={t("keys.title")} wide>
            <div className="grid-3">
                <section className="stack-s">
                    <h3>{t("keys.go")}</h3>
                    {PAGES.filter((row) => row.nav).map((row) => (
                        <div key={row.path} className={css.keyRow}>
                            <span>{t(row.title)}</span>
                            <Keys keys={["g", row.nav!.key]} />
                        </div>
                    ))}
                </section>
                {GROUPS.map((group) => (
                    <section key={group.title} className="stack-s">
                        <h3>{t(group.title)}</h3>
                        {group.keys.map(([keys, text]) => (
                            <div key={text} className={css.keyRow}>
                                <span>{t(text)}</span>
                                <Keys keys={keys} />
                            </div>
                        ))}
                    </section>
                ))}
            </div>
        </Dialog>
    );
}
