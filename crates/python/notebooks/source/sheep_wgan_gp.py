"""Draw me a sheep, the sequel: WGAN-GP. make.py makes the notebooks."""

# %% [markdown] en
r"""
# Draw me a sheep, with a WGAN-GP

The same sheep and the same nets as in the notebook `sheep`. But D is no longer an expert that answers "real" or "generated": it is a
*critic*, which gives any number. Its loss estimates how far the generated images are from the real ones (Arjovsky et al.
2017), and a penalty on its gradient keeps it honest (Gulrajani et al. 2017).

**At the end you can**
- say what the critic's loss estimates, and why it has no sigmoid;
- say which points the gradient penalty looks at, and show them;
- read losses that are no cross-entropies.

**You need** the notebook `sheep`; `pip install "faussaire[notebook,plot]"`.

**Plan**

| | | minutes |
| --- | --- | ---: |
| Steps 1, 2 | parameters, data | 5 |
| Steps 3, 4 | critic and generator | 10 |
| Step 5 | the penalty's images | 10 |
| Steps 6, 7 | WGAN-GP: compile, train | 5, then 6 of training |
| Steps 8, 9 | history, pictures, generation | 10 |
"""

# %% [markdown] en gaps
"""
Where a cell says `TO DO`, replace `...` by your code. A check follows; it says in one line what is missing.
"""

# %% [markdown] fr
r"""
# Dessine-moi un mouton, avec un WGAN-GP

Les mêmes moutons et les mêmes réseaux que dans le notebook `sheep`. Mais D n'est plus un expert qui répond « vraie » ou
« générée » : c'est un *critique*, qui donne un nombre quelconque. Sa perte estime à quelle distance des vraies images se trouvent
les images générées (Arjovsky et al. 2017), et une pénalité sur son gradient le garde honnête (Gulrajani et al. 2017).

**À la fin, vous saurez**
- dire ce qu'estime la perte du critique, et pourquoi il n'a pas de sigmoïde ;
- dire sur quels points porte la pénalité de gradient, et les montrer ;
- lire des pertes qui ne sont pas des entropies croisées.

**Il faut** avoir fait le notebook `sheep` ; `pip install "faussaire[notebook,plot]"`.

**Plan de la séance**

| | | minutes |
| --- | --- | ---: |
| Étapes 1, 2 | paramètres, données | 5 |
| Étapes 3, 4 | critique et générateur | 10 |
| Étape 5 | les images de la pénalité | 10 |
| Étapes 6, 7 | le WGAN-GP : compiler, entraîner | 5, puis 6 de calcul |
| Étapes 8, 9 | historique, images, génération | 10 |
"""

# %% [markdown] fr gaps
"""
Là où une cellule dit `À COMPLÉTER`, remplacez `...` par votre code. La vérification qui suit dit en une ligne ce qui manque.
"""

# %%
import faussaire as fa
import numpy as np
from faussaire import layers

# %% [markdown] en
"""
## Step 1. Parameters

On two cores of a laptop without AVX-512: 6,000 drawings and 6 epochs take about 6 minutes. The course's notebook has batches of 64,
and 3 epochs over all the drawings.
"""

# %% [markdown] fr
"""
## Étape 1. Les paramètres

Sur deux cœurs d'un portable sans AVX-512 : 6 000 dessins et 6 époques prennent environ 6 minutes. Le notebook de la formation prend
des lots de 64, et 3 époques sur tous les dessins.
"""

# %% parameters
# en: fetched on first use (94 MB); a .npy file of your own also does; "strokes" needs
# en: no download.
# fr: téléchargé la première fois (94 Mo) ; un fichier .npy à vous convient aussi ; «
# fr: strokes » se passe de téléchargement.
source = "quickdraw:sheep"
images = 6_000
epochs = 6
batch_size = 32
# en: steps of the critic for one of the generator
# fr: pas du critique pour un pas du générateur
n_critic = 2
latent_dim = 128
num_img = 12
seed = 0

# %% include _helpers.py folded

# %% [markdown] en
"""
## Step 2. The drawings
"""

# %% [markdown] fr
"""
## Étape 2. Les dessins
"""

# %%
x_data = fa.load_data(source, count=images).numpy()
rng = np.random.default_rng(seed)
print(x_data.shape, x_data.dtype)
picture(x_data[:36] / 255, columns=12)

# %% [markdown] en
"""
## Step 3. The critic

The discriminator of the notebook `sheep` with one difference: the last layer has *no* sigmoid. The critic's answer isn't a
probability; only differences between answers count.
"""

# %% [markdown] fr
"""
## Étape 3. Le critique

Le discriminateur du notebook `sheep`, à une différence près : la dernière couche n'a *pas* de sigmoïde. La réponse du critique
n'est pas une probabilité ; seules comptent les différences entre réponses.
"""

# %%
# [gap]
# en: TO DO: the discriminator of `sheep`, without the sigmoid
# fr: À COMPLÉTER : le discriminateur de `sheep`, sans la sigmoïde
# | critic = ...
# [solution]
critic = fa.Sequential(
    [
        fa.Input((28, 28, 1)),
        layers.Conv2D(64, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(1),
    ]
)
# [end]

# %% check
done(3, critic=critic)
# [en]
equal("output of the critic:", critic.output_shape[-1:], (1,))
equal("parameters:", critic.count_params(), 396_609)
answers = critic.predict_on_batch(x_data[:64] / 255)
equal(
    "all answers are near 0.5:", bool(np.all(abs(answers - 0.5) < 0.2)), False, "No sigmoid here."
)
# [fr]
equal("sortie du critique :", critic.output_shape[-1:], (1,))
equal("paramètres :", critic.count_params(), 396_609)
answers = critic.predict_on_batch(x_data[:64] / 255)
equal(
    "toutes les réponses sont près de 0,5 :",
    bool(np.all(abs(answers - 0.5) < 0.2)),
    False,
    "Pas de sigmoïde ici.",
)
# [all]

# %% [markdown] en
"""
## Step 4. The generator

That of the notebook `sheep`, unchanged: dense to 7·7·64, reshape, twice upsampling and a convolution 3x3 with relu (128, 256), a
convolution 5x5 to one channel with sigmoid. *This* sigmoid stays: it says that pixels lie in [0, 1].
"""

# %% [markdown] fr
"""
## Étape 4. Le générateur

Celui du notebook `sheep`, inchangé : dense vers 7·7·64, remise en forme, deux fois suréchantillonnage et convolution 3x3 avec relu
(128, 256), convolution 5x5 vers un canal avec sigmoïde. *Cette* sigmoïde-là reste : elle dit que les pixels sont dans [0, 1].
"""

# %%
# [gap]
# en: TO DO
# fr: À COMPLÉTER
# | generator = ...
# [solution]
generator = fa.Sequential(
    [
        fa.Input((latent_dim,)),
        layers.Dense(7 * 7 * 64),
        layers.Reshape((7, 7, 64)),
        layers.UpSampling2D(),
        layers.Conv2D(128, 3, padding="same", activation="relu"),
        layers.UpSampling2D(),
        layers.Conv2D(256, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ]
)
# [end]

# %% check
done(4, generator=generator)
# [en]
equal("output of G:", generator.output_shape[-3:], (28, 28, 1))
equal("parameters of G:", generator.count_params(), 779_969)
# [fr]
equal("sortie de G :", generator.output_shape[-3:], (28, 28, 1))
equal("paramètres de G :", generator.count_params(), 779_969)
# [all]

# %% [markdown] en
r"""
## Step 5. The images that the penalty looks at

The critic's loss is $\overline{D(G(z))} - \overline{D(x)}$. Left alone, it would fall without end: multiply D by 10, and it is ten
times as low. It is an estimate of a distance only while D's slope is at most 1. The gradient penalty

$$10 \cdot \overline{\left(\lVert \nabla D(\hat x) \rVert - 1\right)^2} \qquad \hat x = x + \alpha\,(G(z) - x)$$

asks for that on the way between real and generated images: $\alpha$ is drawn for each pair, uniformly from [0, 1]. Compute
$\hat x$ for twelve pairs.
"""

# %% [markdown] fr
r"""
## Étape 5. Les images que voit la pénalité

La perte du critique est $\overline{D(G(z))} - \overline{D(x)}$. Livrée à elle-même, elle baisserait sans fin : multipliez D par 10,
elle est dix fois plus basse. Elle n'estime une distance que si la pente de D ne dépasse pas 1. La pénalité de gradient

$$10 \cdot \overline{\left(\lVert \nabla D(\hat x) \rVert - 1\right)^2} \qquad \hat x = x + \alpha\,(G(z) - x)$$

le demande sur le chemin entre vraies images et images générées : $\alpha$ est tiré pour chaque paire, uniformément dans [0, 1].
Calculez $\hat x$ pour douze paires.
"""

# %%
real = x_data[:12] / 255
z = rng.normal(size=(12, latent_dim))
fake = generator.predict_on_batch(z)
# [gap]
# en: TO DO: alpha with rng.uniform, one number per image: shape (12, 1, 1, 1)
# fr: À COMPLÉTER : alpha avec rng.uniform, un nombre par image : forme (12, 1, 1, 1)
# | alpha = ...
# | between = ...
# [solution]
alpha = rng.uniform(size=(12, 1, 1, 1))
between = real + alpha * (fake - real)
# [end]

# %% check
done(5, alpha=alpha, between=between)
inside = (between >= np.minimum(real, fake) - 1e-6) & (between <= np.maximum(real, fake) + 1e-6)
# [en]
equal("shape of alpha:", alpha.shape, (12, 1, 1, 1))
equal("shape of the images:", between.shape, (12, 28, 28, 1))
equal("between real and generated:", bool(inside.all()), True, "real + alpha * (fake - real)")
# [fr]
equal("forme de alpha :", alpha.shape, (12, 1, 1, 1))
equal("forme des images :", between.shape, (12, 28, 28, 1))
equal("entre vraies et générées :", bool(inside.all()), True, "real + alpha * (fake - real)")
# [all]
picture(np.concatenate([real, between, fake]), columns=12)

# %% [markdown] en
"""
From top to bottom: real, between, generated (grey as yet). The course's notebook draws alpha from a *normal* distribution, so half of
its points lie outside of the way between the two; the paper has the uniform one, and so has `fa.WGANGP`.

## Step 6. The WGAN-GP

`n_critic` steps of the critic for each step of G: its estimate must be good before G follows it. Adam with 2e-4, beta1 0.5 and
beta2 0.9 for both.
"""

# %% [markdown] fr
"""
De haut en bas : vraies, intermédiaires, générées (encore grises). Le notebook de la formation tire alpha d'une loi *normale* : la
moitié de ses points sort du chemin entre les deux ; l'article prend la loi uniforme, et `fa.WGANGP` aussi.

## Étape 6. Le WGAN-GP

`n_critic` pas du critique pour un pas de G : l'estimation doit être bonne avant que G la suive. Adam avec 2e-4, beta1 = 0,5 et
beta2 = 0,9 pour les deux.
"""

# %%
# [gap]
# en: TO DO: fa.WGANGP(discriminator=..., generator=..., latent_dim=..., n_critic=...),
# en: then compile
# fr: À COMPLÉTER : fa.WGANGP(discriminator=..., generator=..., latent_dim=...,
# fr: n_critic=...), puis compile
# | gan = ...
# [solution]
gan = fa.WGANGP(discriminator=critic, generator=generator, latent_dim=latent_dim, n_critic=n_critic)
gan.compile(
    discriminator_optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
    generator_optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
)
# [end]

# %% check
done(6, gan=gan)
# [en]
equal("loss:", gan.recipe["train.loss"], "wasserstein")
equal("critic's steps:", gan.recipe["train.n_critic"], n_critic)
equal("beta2 of the critic:", gan.recipe["discriminator.adam.beta2"], 0.9, "Call gan.compile.")
# [fr]
equal("perte :", gan.recipe["train.loss"], "wasserstein")
equal("pas du critique :", gan.recipe["train.n_critic"], n_critic)
equal("beta2 du critique :", gan.recipe["discriminator.adam.beta2"], 0.9, "Appelez gan.compile.")
# [all]

# %% [markdown] en
"""
## Step 7. Train
"""

# %% [markdown] fr
"""
## Étape 7. Entraîner
"""


# %%
class Strips(fa.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.z = rng.normal(size=(num_img, latent_dim))
        self.images = []

    def on_epoch_end(self, epoch, logs=None):
        self.images.append(self.model.predict(self.z))


strips = Strips()
# [gap]
# en: TO DO: gan.fit with epochs, batch_size, callbacks=[fa.callbacks.Images(), strips]
# fr: À COMPLÉTER : gan.fit avec epochs, batch_size, callbacks=[fa.callbacks.Images(), strips]
# | history = ...
# [solution]
history = gan.fit(
    x_data, epochs=epochs, batch_size=batch_size, callbacks=[fa.callbacks.Images(), strips]
)
# [end]

# %% check
done(7, history=history)
# [en]
equal("epochs in the history:", len(history.history["d_loss"]), epochs)
equal("losses are numbers:", bool(np.isfinite(history.history["d_loss"]).all()), True)
# [fr]
equal("époques dans l'historique :", len(history.history["d_loss"]), epochs)
equal("les pertes sont des nombres :", bool(np.isfinite(history.history["d_loss"]).all()), True)
# [all]

# %% [markdown] en
"""
**What to expect** after 540 steps of G (4.3 passes over 8,000 drawings): bodies, legs and heads, more varied than the DCGAN's, with
less clean lines.

![Sheep after 540 steps](pictures/sheep-wgan-gp-540.png)

## Step 8. History and pictures

These losses have no ln 2. D's is minus the estimated distance: it starts near 0, falls below as the critic learns, and comes back
slowly as G's images get nearer. That makes it worth watching, unlike a cross-entropy: nearer to 0 is better. G's loss,
$-D(G(z))$, has no level of its own: only differences of answers count, and it drifts.
"""

# %% [markdown] fr
"""
**À quoi s'attendre** après 540 pas de G (4,3 passages sur 8 000 dessins) : corps, pattes et têtes, plus variés qu'avec le DCGAN, avec
des traits moins nets.

![Des moutons après 540 pas](pictures/sheep-wgan-gp-540.png)

## Étape 8. Historique et images

Ces pertes ne connaissent pas ln 2. Celle de D est l'opposé de la distance estimée : elle part de 0 environ, descend quand le critique
apprend, et remonte lentement quand les images de G se rapprochent. Contrairement à une entropie croisée, elle mérite donc d'être
suivie : plus près de 0, c'est mieux. Celle de G, $-D(G(z))$, n'a pas de niveau propre : seules comptent les différences entre
réponses, et elle dérive.
"""

# %%
axes = history.plot()
# [fr]
axes.set(xlabel="époque", ylabel="perte")
legend = axes.legend(["discriminateur", "générateur"])
# [all]

# %%
montage = picture(np.concatenate(strips.images), columns=num_img)
montage.save("montage.png")
montage

# %%
# en: The penalty's images again, with the trained generator.
# fr: Les images de la pénalité à nouveau, avec le générateur entraîné.
fake = gan.predict(z)
picture(np.concatenate([real, real + alpha * (fake - real), fake]), columns=12)

# %% [markdown] en
"""
## Step 9. Save, load, generate
"""

# %% [markdown] fr
"""
## Étape 9. Enregistrer, recharger, générer
"""

# %%
gan.save("sheep-wgan-gp")
loaded = fa.WGANGP.load("sheep-wgan-gp")
drawn = loaded.predict(rng.normal(size=(180, latent_dim)))
picture(drawn, columns=15)

# %% [markdown] en
"""
## Questions

1. Why would the critic's loss fall without end, if there were no penalty?
2. Why is batch normalisation in a critic at odds with this penalty?
3. Set `n_critic` to 1, then to 5. What changes in the history, and in the time per epoch?
4. After as many steps of G, which has seen more real images: this GAN or that of `sheep`?
"""

# %% [markdown] fr
"""
## Questions

1. Pourquoi la perte du critique baisserait-elle sans fin s'il n'y avait pas de pénalité ?
2. Pourquoi une normalisation par lots dans le critique contredit-elle cette pénalité ?
3. Mettre `n_critic` à 1, puis à 5. Qu'est-ce qui change dans l'historique, et dans la durée d'une époque ?
4. Après autant de pas de G, lequel a vu plus de vraies images : ce GAN ou celui de `sheep` ?
"""

# %% [markdown] en solution
"""
### Answers

1. The loss is a difference of answers: weights twice as large in the last layer make it twice as low.
2. The penalty is about the slope at each image. With batch normalisation the answer for one image depends on all the others of its
   batch, so there is no slope of one image alone. Layer normalisation does without.
3. More critic steps: a better estimate, a smoother curve, fewer steps of G in the same time. With 1 the estimate lags behind.
4. This one: `n_critic` batches of real images per step of G.
"""

# %% [markdown] fr solution
"""
### Réponses

1. La perte est une différence de réponses : des poids deux fois plus grands dans la dernière couche la rendent deux fois plus basse.
2. La pénalité porte sur la pente en chaque image. Avec une normalisation par lots, la réponse pour une image dépend de toutes les autres
   du lot : il n'y a plus de pente propre à une image. La normalisation par couche (*layer normalization*) n'a pas ce défaut.
3. Plus de pas du critique : une meilleure estimation, une courbe plus lisse, moins de pas de G dans le même temps. Avec 1, l'estimation
   est en retard.
4. Celui-ci : `n_critic` lots de vraies images par pas de G.
"""
