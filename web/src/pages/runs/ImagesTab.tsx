/* Pictures that a run logged step by step: one card a name, with a slider over its steps. */
import { useQuery } from "@tanstack/react-query";
import { Images } from "lucide-react";
import { useMemo, useState } from "react";
import { artifactUrl, loggedImagesQuery, type ArtifactOwner } from "../../api/artifacts";
import { Answer, EmptyState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { imagesByKey, type LoggedImage } from "../../lib/loggedImage";
import css from "./Artifacts.module.css";

export function ImagesTab({ owner, pollMs }: { owner: ArtifactOwner; pollMs: number | false }) {
    const { t } = useI18n();
    const query = useQuery({ ...loggedImagesQuery(owner), refetchInterval: pollMs });
    const keys = useMemo(() => imagesByKey(query.data ?? []), [query.data]);
    return (
        <Answer query={query}>
            {() =>
                keys.size === 0 ? (
                    <EmptyState icon={Images} title={t("images.empty.title")} body={t("images.empty.body")} />
                ) : (
                    <div className={css.gallery}>
                        {[...keys].map(([key, images]) => (
                            <Picture key={key} owner={owner} name={key} images={images} />
                        ))}
                    </div>
                )
            }
        </Answer>
    );
}

function Picture({ owner, name, images }: { owner: ArtifactOwner; name: string; images: LoggedImage[] }) {
    const { t } = useI18n();
    const [chosen, setChosen] = useState<number | null>(null);
    const index = chosen === null || chosen >= images.length ? images.length - 1 : chosen;
    const image = images[index]!;
    const step = t("chart.step", { step: image.step });
    return (
        <Card title={name}>
            <div className={css.picture}>
                <img src={artifactUrl(owner, image.path, true)} alt={`${name}, ${step}`} loading="lazy" />
                <span className="muted small num">{step}</span>
                {images.length > 1 && (
                    <input type="range" min={0} max={images.length - 1} value={index} aria-label={t("images.step_of", { name })} aria-valuetext={step} onChange={(event) => setChosen(Number(event.target.value))} />
                )}
            </div>
        </Card>
    );
}
