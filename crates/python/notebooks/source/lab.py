"""The lab: a GAN on MNIST in ten steps, by the sheet's own numbers. make.py makes the notebooks."""

# %% [markdown] en
r"""
# A GAN that writes digits, in ten steps

A counterfeiter, the *generator* G, makes images out of noise. An expert, the *discriminator* D, tells real images from
generated ones. Each gets better by playing against the other (Goodfellow et al. 2014).

**At the end you can**
- build G and D and compose them into the network that trains G;
- write one training step of a GAN, line by line, and say why D must not move in G's half of it;
- read the two losses: what they say, and what they don't;
- tell a healthy game from a lost one.

**You need** Python with NumPy, what a convolution and a gradient step are, and `pip install "faussaire[notebook,plot]"`.
No graphics card.

**Plan**

| | | minutes |
| --- | --- | ---: |
| Data | look at the images | 5 |
| Steps 1 to 4 | the networks and their losses | 15 |
| Steps 5 to 10 | one training step, by hand | 15 |
| Loop | the ten steps, again and again; questions while it trains | 10, then 30 of training |
| Results | losses, pictures, report | 10 |
"""

# %% [markdown] en gaps
"""
Where a cell says `TO DO`, replace `...` by your code. A check follows each step; it says in one line what is missing.
"""

# %% [markdown] en solution
"""
This is the version with the solutions. The same code runs with Keras: `import keras as fa`, `from keras import layers`, and the
images from `keras.datasets.mnist.load_data()`. Only step 4 hides a difference, which is explained there.
"""

# %% [markdown] fr
r"""
# Un GAN qui écrit des chiffres, en dix étapes

Un faussaire, le *générateur* G, fabrique des images à partir de bruit. Un expert, le *discriminateur* D, distingue les
vraies images des images générées. Chacun progresse en jouant contre l'autre (Goodfellow et al. 2014).

**À la fin, vous saurez**
- construire G et D et les composer pour obtenir le réseau qui entraîne G ;
- écrire un pas d'entraînement d'un GAN, ligne par ligne, et dire pourquoi D ne doit pas bouger quand G apprend ;
- lire les deux pertes : ce qu'elles disent, et ce qu'elles ne disent pas ;
- distinguer un jeu équilibré d'un jeu perdu.

**Il faut** Python et NumPy, savoir ce que sont une convolution et un pas de gradient, et
`pip install "faussaire[notebook,plot]"`. Pas besoin de carte graphique.

**Plan de la séance**

| | | minutes |
| --- | --- | ---: |
| Données | regarder les images | 5 |
| Étapes 1 à 4 | les réseaux et leurs pertes | 15 |
| Étapes 5 à 10 | un pas d'entraînement, à la main | 15 |
| Boucle | les étapes 5 à 10, encore et encore ; questions pendant l'entraînement | 10, puis 30 de calcul |
| Résultats | pertes, images, compte rendu | 10 |
"""

# %% [markdown] fr gaps
"""
Là où une cellule dit `À COMPLÉTER`, remplacez `...` par votre code. Après chaque étape, une vérification dit en une ligne
ce qui manque.
"""

# %% [markdown] fr solution
"""
Voici la version avec les solutions. Le même code s'exécute avec Keras : `import keras as fa`, `from keras import layers`, et les
images avec `keras.datasets.mnist.load_data()`. Seule l'étape 4 cache une différence, expliquée sur place.
"""

# %%
import faussaire as fa
import numpy as np
from faussaire import layers

# %% [markdown] en
"""
**Parameters.** All in one place. On two cores of a laptop without AVX-512:

| `images` | `epochs` | training |
| ---: | ---: | --- |
| 6,000 | 10 | 10 minutes |
| 6,000 | 30 | 30 minutes: the short form |
| 60,000 | 30 | 5 hours: the lab in full |
"""

# %% [markdown] fr
"""
**Paramètres.** Tous au même endroit. Sur deux cœurs d'un portable sans AVX-512 :

| `images` | `epochs` | entraînement |
| ---: | ---: | --- |
| 6 000 | 10 | 10 minutes |
| 6 000 | 30 | 30 minutes : la forme courte |
| 60 000 | 30 | 5 heures : le TP complet |
"""

# %% parameters
# en: "mnist" is fetched on first use; "strokes" are digits drawn by program, without a
# en: download.
# fr: « mnist » est téléchargé la première fois ; « strokes » : des chiffres tracés par
# fr: programme, sans téléchargement.
source = "mnist"
images = 6_000
# en: passes over the images
# fr: passages sur les images
epochs = 30
# en: images per batch
# fr: images par lot
batch = 64
# en: size of the latent code z
# fr: taille du code latent z
latent = 32
# en: losses and pictures every N epochs
# fr: pertes et images toutes les tant d'époques
every = 10
seed = 0

# %% include _helpers.py folded

# %% [markdown] en
"""
## The images

28x28 pixels, one channel, channels last, values in [0, 1] because G will end in a sigmoid.
"""

# %% [markdown] fr
"""
## Les images

28x28 pixels, un canal placé en dernier, valeurs dans [0, 1] car G se terminera par une sigmoïde.
"""

# %%
x_train = fa.load_data(source, count=images).numpy().astype("float32") / 255
rng = np.random.default_rng(seed)
print(x_train.shape, x_train.min(), x_train.max())
picture(x_train[:40])

# %% [markdown] en
"""
## Step 1. Build the generator

From a latent code of 32 numbers to an image. The sizes:

| layer | output |
| --- | --- |
| dense | 14·14·128 |
| reshape | 14 x 14 x 128 |
| batch normalisation, LeakyReLU 0.2 | |
| transposed convolution, 128 filters 5x5 | 14 x 14 x 128 |
| batch normalisation, LeakyReLU 0.2 | |
| transposed convolution, 256 filters 4x4, stride 2 | 28 x 28 x 256 |
| batch normalisation, LeakyReLU 0.2 | |
| convolution, 1 filter 5x5, sigmoid | 28 x 28 x 1 |

All convolutions with `padding="same"`. A stride of 2 in a *transposed* convolution doubles the sides. Batch normalisation with
`momentum=0.8`: step 6 says why.
"""

# %% [markdown] fr
"""
## Étape 1. Construire le générateur

D'un code latent de 32 nombres à une image. Les tailles :

| couche | sortie |
| --- | --- |
| dense | 14·14·128 |
| reshape | 14 x 14 x 128 |
| normalisation par lots, LeakyReLU 0,2 | |
| convolution transposée, 128 filtres 5x5 | 14 x 14 x 128 |
| normalisation par lots, LeakyReLU 0,2 | |
| convolution transposée, 256 filtres 4x4, pas de 2 | 28 x 28 x 256 |
| normalisation par lots, LeakyReLU 0,2 | |
| convolution, 1 filtre 5x5, sigmoïde | 28 x 28 x 1 |

Toutes les convolutions avec `padding="same"`. Dans une convolution *transposée*, un pas (*stride*) de 2 double les côtés.
Normalisation par lots avec `momentum=0.8` : l'étape 6 dit pourquoi.
"""

# %%
# [gap]
# en: TO DO: the layers of the table, in a list: fa.Sequential([fa.Input((latent,)),
# en: layers.Dense(...), ...])
# fr: À COMPLÉTER : les couches du tableau, dans une liste :
# fr: fa.Sequential([fa.Input((latent,)), layers.Dense(...), ...])
# | generator = ...
# [solution]
generator = fa.Sequential(
    [
        fa.Input((latent,)),
        layers.Dense(14 * 14 * 128),
        layers.Reshape((14, 14, 128)),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(128, 5, padding="same"),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(256, 4, strides=2, padding="same"),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(0.2),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ]
)
# [end]

# %% check
done(1, generator=generator)
# [en]
equal("output of G:", generator.output_shape[-3:], (28, 28, 1), "One stride of 2 doubles 14 to 28.")
equal(
    "parameters of G:",
    generator.count_params(),
    1_770_625,
    "Three batch normalisations? Filters 128, 256, 1?",
)
# [fr]
equal(
    "sortie de G :",
    generator.output_shape[-3:],
    (28, 28, 1),
    "Un seul pas de 2 : il double 14 en 28.",
)
equal(
    "paramètres de G :",
    generator.count_params(),
    1_770_625,
    "Trois normalisations ? Filtres 128, 256, 1 ?",
)
# [all]

# %% [markdown] en
"""
## Step 2. Build the discriminator

An ordinary classifier with two classes: three convolutions with stride 2 (28 → 14 → 7 → 4 pixels), 64, 128 and 256 filters
of 4x4, each followed by LeakyReLU 0.2; then flatten, and one sigmoid: the probability that the image is real. LeakyReLU
keeps a slope below zero, so that D passes a gradient on to G through every unit.
"""

# %% [markdown] fr
"""
## Étape 2. Construire le discriminateur

Un classifieur ordinaire à deux classes : trois convolutions de pas 2 (28 → 14 → 7 → 4 pixels), 64, 128 et 256 filtres 4x4,
chacune suivie de LeakyReLU 0,2 ; puis une mise à plat, et une sigmoïde : la probabilité que l'image soit vraie. LeakyReLU
garde une pente sous zéro : lors de la rétropropagation, chaque neurone de D transmet un gradient à G.
"""

# %%
# [gap]
# en: TO DO: begin with fa.Input((28, 28, 1))
# fr: À COMPLÉTER : commencer par fa.Input((28, 28, 1))
# | discriminator = ...
# [solution]
discriminator = fa.Sequential(
    [
        fa.Input((28, 28, 1)),
        layers.Conv2D(64, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(256, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
# [end]

# %% check
done(2, discriminator=discriminator)
# [en]
equal(
    "output of D:",
    discriminator.output_shape[-1:],
    (1,),
    "One number per image: flatten, then Dense(1).",
)
equal(
    "parameters of D:",
    discriminator.count_params(),
    660_929,
    "Three strides of 2? Filters 64, 128, 256?",
)
# [fr]
equal(
    "sortie de D :",
    discriminator.output_shape[-1:],
    (1,),
    "Un nombre par image : mise à plat, puis Dense(1).",
)
equal(
    "paramètres de D :",
    discriminator.count_params(),
    660_929,
    "Trois pas de 2 ? Filtres 64, 128, 256 ?",
)
# [all]

# %% [markdown] en
"""
Before going on, a summary of both. G has 1,770,625 parameters, of which 1,769,601 are trained. Which are the 1,024 others?
"""

# %% [markdown] fr
"""
Avant de continuer, un résumé des deux. G a 1 770 625 paramètres, dont 1 769 601 sont appris. Quels sont les 1 024 autres ?
"""

# %%
generator.summary()
discriminator.summary()

# %% [markdown] en
"""
## Step 3. Compile the discriminator

Binary cross-entropy, and Adam with learning rate 2e-4 and beta1 0.5. With beta1 at 0.5 (Radford et al. 2016) Adam forgets
sooner: the opponent changes, so old gradients are soon out of date. Ask for the accuracy as well.
"""

# %% [markdown] fr
"""
## Étape 3. Compiler le discriminateur

Entropie croisée binaire, et Adam avec un taux d'apprentissage de 2e-4 et beta1 = 0,5. Avec cette valeur (Radford et al.
2016), Adam oublie plus vite : l'adversaire change, les vieux gradients sont vite périmés. Demandez aussi le taux de bonnes
réponses (*accuracy*).
"""

# %%
# [gap]
# en: TO DO: discriminator.compile(loss=..., optimizer=..., metrics=["accuracy"])
# fr: À COMPLÉTER : discriminator.compile(loss=..., optimizer=..., metrics=["accuracy"])
# [solution]
discriminator.compile(
    loss="binary_crossentropy", optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5), metrics=["accuracy"]
)
# [end]

# %% check
# [en]
equal("D is compiled:", discriminator.optimizer is not None, True, "Call discriminator.compile.")
# [fr]
equal(
    "D est compilé :", discriminator.optimizer is not None, True, "Appelez discriminator.compile."
)
# [all]

# %% [markdown] en
r"""
## Step 4. The GAN: a frozen discriminator behind the generator

G can only be judged through D, so its gradient must pass through D: $\text{gan}(z) = D(G(z))$. But D must not move while G
learns, or it would be taught to take generated images for real. So D is *frozen* in the composition. It shares D's weights:
a true copy would stay as ignorant as D is now.

The composition has a loss and an Adam of its own, whose moments describe G's weights only.
"""

# %% [markdown] fr
r"""
## Étape 4. Le GAN : un discriminateur gelé derrière le générateur

Seul D peut juger G : le gradient de G doit traverser D, donc $\text{gan}(z) = D(G(z))$. Mais D ne doit pas bouger quand G
apprend, sinon il apprendrait à prendre les images générées pour des vraies. Dans la composition, D est donc *gelé*. Il
partage les poids de D : une vraie copie resterait aussi ignorante que D l'est maintenant.

La composition a sa propre perte et son propre Adam, dont les moments ne décrivent que les poids de G.
"""

# %% [markdown] en solution
"""
Keras's functional form says the same:

```python
discriminator_gan = keras.Model(discriminator.inputs, discriminator.outputs)   # the same layers, the same weights
discriminator_gan.trainable = False
gan_input = keras.Input((latent,))
gan = keras.Model(gan_input, discriminator_gan(generator(gan_input)))
```

Keras reads `trainable` when a model first trains: a D that is frozen before its own first step never learns, without an error.
So with Keras step 8 needs `discriminator.trainable = True` before it, and step 10 `discriminator.trainable = False`. Here a
composition always treats D as a constant, and D's own steps are never affected.
"""

# %% [markdown] fr solution
"""
La forme fonctionnelle de Keras dit la même chose :

```python
discriminator_gan = keras.Model(discriminator.inputs, discriminator.outputs)   # mêmes couches, mêmes poids
discriminator_gan.trainable = False
gan_input = keras.Input((latent,))
gan = keras.Model(gan_input, discriminator_gan(generator(gan_input)))
```

Keras lit `trainable` au premier pas d'entraînement d'un modèle : un D gelé avant son propre premier pas n'apprend jamais, sans
aucune erreur. Avec Keras, il faut donc `discriminator.trainable = True` avant l'étape 8, et `discriminator.trainable = False`
avant l'étape 10. Ici, une composition traite toujours D comme une constante, et les pas de D lui-même n'en dépendent pas.
"""

# %%
# [gap]
# en: TO DO: freeze D, compose, compile (same loss and rates as D)
# fr: À COMPLÉTER : geler D, composer, compiler (même perte et mêmes taux que D)
# | gan = ...
# [solution]
discriminator.trainable = False
gan = fa.Sequential([generator, discriminator])
gan.compile(loss="binary_crossentropy", optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5))
# [end]

# %% check
done(4, gan=gan)
# [en]
equal("discriminator.trainable:", discriminator.trainable, False)
equal("the GAN takes z:", gan.input_shape[-1:], (latent,))
equal("the GAN gives D's answer:", gan.output_shape[-1:], (1,))
# [fr]
equal("discriminator.trainable :", discriminator.trainable, False)
equal("le GAN prend z :", gan.input_shape[-1:], (latent,))
equal("le GAN donne la réponse de D :", gan.output_shape[-1:], (1,))
# [all]

# %% [markdown] en
r"""
## Steps 5 to 10: one training step, by hand

First each line once, with a look at what it gives. The loop comes after.

### Step 5. Draw z from the normal distribution

`batch` codes of size `latent`, independent normal numbers. The noise is all that makes one image differ from another; whoever
uses G later must draw z from the same distribution.
"""

# %% [markdown] fr
r"""
## Étapes 5 à 10 : un pas d'entraînement, à la main

D'abord chaque ligne une fois, en regardant ce qu'elle donne. La boucle vient après.

### Étape 5. Tirer z selon la loi normale

`batch` codes latents de taille `latent`, des nombres normaux indépendants. Seul le bruit fait qu'une image diffère d'une
autre ; qui utilisera G plus tard devra tirer z selon la même loi.
"""

# %%
# [gap]
# en: TO DO: with rng.normal
# fr: À COMPLÉTER : avec rng.normal
# | z = ...
# [solution]
z = rng.normal(size=(batch, latent))
# [end]

# %% check
done(5, z=z)
# [en]
equal("shape of z:", z.shape, (batch, latent))
near(
    "standard deviation of z:", float(z.std()), 1.0, 0.2, "The standard normal distribution has 1."
)
# [fr]
equal("forme de z :", z.shape, (batch, latent))
near(
    "écart-type de z :", float(z.std()), 1.0, 0.2, "Celui de la loi normale centrée réduite est 1."
)
# [all]

# %% [markdown] en
"""
### Step 6. Generate

`predict_on_batch` computes no gradient, and batch normalisation uses its *moving* statistics there; in G's training step it uses
those of the batch. The moving ones begin at 0 and 1 and follow: after n steps momentum^n of the start is left. With Keras's
default of 0.99 that is 37% after 100 steps, an epoch of 6,000 images. So long D sees other images than those that G is trained
on: it recognises the first and, never having seen them, accepts the second; both losses are near 0, and G learns nothing
(tried: for more than 250 steps). With 0.8 it is over after 20 or 30.
"""

# %% [markdown] fr
"""
### Étape 6. Générer

`predict_on_batch` ne calcule pas de gradient, et la normalisation par lots y utilise ses statistiques *glissantes* ; dans le pas
d'entraînement de G, elle utilise celles du lot. Les statistiques glissantes partent de 0 et de 1 et suivent : après n pas, il
reste momentum^n du départ. Avec 0,99, la valeur par défaut de Keras, c'est 37 % après 100 pas, soit une époque de 6 000 images.
Pendant ce temps, D voit d'autres images que celles sur lesquelles G s'entraîne : il reconnaît les premières et, ne les ayant
jamais vues, accepte les secondes ; les deux pertes sont proches de 0 et G n'apprend rien (essayé : pendant plus de 250 pas).
Avec 0,8, c'est fini après 20 ou 30 pas.
"""

# %%
# [gap]
# en: TO DO: the images that G makes of z
# fr: À COMPLÉTER : les images que G fabrique à partir de z
# | fakes = ...
# [solution]
fakes = generator.predict_on_batch(z)
# [end]

# %% check
done(6, fakes=fakes)
# [en]
equal("shape of the images:", fakes.shape, (batch, 28, 28, 1))
equal(
    "values in [0, 1]:", bool(fakes.min() >= 0 and fakes.max() <= 1), True, "G ends in a sigmoid."
)
# [fr]
equal("forme des images :", fakes.shape, (batch, 28, 28, 1))
equal(
    "valeurs dans [0, 1] :",
    bool(fakes.min() >= 0 and fakes.max() <= 1),
    True,
    "G se termine par une sigmoïde.",
)
# [all]
picture(fakes[:10])

# %% [markdown] en
"""
### Step 7. Mix real and generated images, with labels

`batch` real images drawn at random, then the generated ones; labels 1 for real, 0 for generated, of shape `(2 * batch, 1)`.
The digits themselves need no labels.
"""

# %% [markdown] fr
"""
### Étape 7. Mélanger vraies images et images générées, avec leurs étiquettes

`batch` vraies images tirées au hasard, puis les images générées ; étiquette 1 pour les vraies, 0 pour les générées, de forme
`(2 * batch, 1)`. Les chiffres eux-mêmes n'ont pas besoin d'étiquettes.
"""

# %%
reals = x_train[rng.integers(0, len(x_train), batch)]
# [gap]
# en: TO DO: np.concatenate, np.ones, np.zeros
# fr: À COMPLÉTER : np.concatenate, np.ones, np.zeros
# | x = ...
# | y = ...
# [solution]
x = np.concatenate([reals, fakes])
y = np.concatenate([np.ones((batch, 1)), np.zeros((batch, 1))])
# [end]

# %% check
done(7, x=x, y=y)
# [en]
equal("shape of x:", x.shape, (2 * batch, 28, 28, 1))
equal("shape of y:", y.shape, (2 * batch, 1))
equal("mean label of the real images:", float(y[:batch].mean()), 1.0, "Real images first, with 1.")
equal("mean label of the generated ones:", float(y[batch:].mean()), 0.0)
# [fr]
equal("forme de x :", x.shape, (2 * batch, 28, 28, 1))
equal("forme de y :", y.shape, (2 * batch, 1))
equal(
    "étiquette moyenne des vraies :",
    float(y[:batch].mean()),
    1.0,
    "Les vraies images d'abord, avec 1.",
)
equal("étiquette moyenne des générées :", float(y[batch:].mean()), 0.0)
# [all]

# %% [markdown] en
"""
### Step 8. Train the discriminator on the batch

`train_on_batch` gives the loss and the accuracy, both from before the update. A D that knows nothing answers 0.5 to
everything: its loss is $-\\ln 0.5 = 0.693$. The first loss must be near that.
"""

# %% [markdown] fr
"""
### Étape 8. Entraîner le discriminateur sur le lot

`train_on_batch` rend la perte et le taux de bonnes réponses, mesurés avant la mise à jour. Un D qui ne sait rien répond 0,5 à
tout : sa perte vaut $-\\ln 0{,}5 = 0{,}693$. La première perte doit en être proche.
"""

# %%
d_before = discriminator.get_weights()
# [gap]
# en: TO DO: discriminator.train_on_batch
# fr: À COMPLÉTER : discriminator.train_on_batch
# | d_loss, d_accuracy = ..., ...
# [solution]
d_loss, d_accuracy = discriminator.train_on_batch(x, y)
# [end]

# %% check
done(8, d_loss=d_loss, d_accuracy=d_accuracy)
# [en]
near(
    "first loss of D:", d_loss, 0.693, 0.1, "Executed more than once? Then start again from step 1."
)
equal("D has moved:", not same(d_before, discriminator.get_weights()), True)
# [fr]
near(
    "première perte de D :",
    d_loss,
    0.693,
    0.1,
    "Cellule exécutée plusieurs fois ? Reprendre à l'étape 1.",
)
equal("D a bougé :", not same(d_before, discriminator.get_weights()), True)
# [all]

# %% [markdown] en
"""
### Step 9. A new z, labelled "real"

*The label is a wish, not the truth.* G could instead maximise D's loss with label 0, but while D sees through the generated
images, that loss is flat and G learns nothing. With label 1 the gradient is largest exactly then: the *non-saturating* loss.

*Why a new z:* D has just been fitted to the images of the old one. Fresh noise asks G to do well on any z.
"""

# %% [markdown] fr
"""
### Étape 9. Un nouveau z, étiqueté « vrai »

*L'étiquette est un souhait, pas la vérité.* G pourrait plutôt maximiser la perte de D avec l'étiquette 0 ; mais tant que D
démasque les images générées, cette perte est plate et G n'apprend rien. Avec l'étiquette 1, le gradient est le plus grand
justement à ce moment-là : c'est la perte *non saturante*.

*Pourquoi un nouveau z :* D vient d'être ajusté aux images de l'ancien. Un bruit neuf demande à G de réussir pour tout z.
"""

# %%
# [gap]
# en: TO DO
# fr: À COMPLÉTER
# | z = ...
# | wished = ...
# [solution]
z = rng.normal(size=(batch, latent))
wished = np.ones((batch, 1))
# [end]

# %% check
done(9, z=z, wished=wished)
# [en]
equal("shape of z:", z.shape, (batch, latent))
equal("all labels say real:", bool(np.all(np.equal(wished, 1))), True)
# [fr]
equal("forme de z :", z.shape, (batch, latent))
equal("toutes les étiquettes disent « vrai » :", bool(np.all(np.equal(wished, 1))), True)
# [all]

# %% [markdown] en
"""
### Step 10. Train the GAN on it

Only G may move. The check compares all of D's weights before and after.
"""

# %% [markdown] fr
"""
### Étape 10. Entraîner le GAN dessus

Seul G doit bouger. La vérification compare tous les poids de D avant et après.
"""

# %%
d_before, g_before = discriminator.get_weights(), generator.get_weights()
# [gap]
# en: TO DO: gan.train_on_batch
# fr: À COMPLÉTER : gan.train_on_batch
# | g_loss = ...
# [solution]
g_loss = gan.train_on_batch(z, wished)
# [end]

# %% check
done(10, g_loss=g_loss)
# [en]
near("first loss of G:", g_loss, 0.693, 0.25)
equal(
    "D hasn't moved:", same(d_before, discriminator.get_weights()), True, "Is D frozen in step 4?"
)
equal("G has moved:", not same(g_before, generator.get_weights()), True)
# [fr]
near("première perte de G :", g_loss, 0.693, 0.25)
equal(
    "D n'a pas bougé :",
    same(d_before, discriminator.get_weights()),
    True,
    "D est-il gelé à l'étape 4 ?",
)
equal("G a bougé :", not same(g_before, generator.get_weights()), True)
# [all]

# %% [markdown] en
"""
## The loop

Steps 5 to 10 for every batch, with each real image once per epoch. Ten codes drawn once, `z_fixed`, show the progress: always
the same ten, so that pictures can be compared. The stop button interrupts the cell; what was trained stays.
"""

# %% [markdown] fr
"""
## La boucle

Les étapes 5 à 10 pour chaque lot, chaque vraie image passant une fois par époque. Dix codes tirés une fois pour toutes,
`z_fixed`, montrent les progrès : toujours les mêmes, pour pouvoir comparer. Le bouton d'arrêt interrompt la cellule ; ce
qui est appris reste.
"""

# %%
history = {"d_loss": [], "d_accuracy": [], "g_loss": []}
strips = {}
z_fixed = rng.normal(size=(10, latent))
live = display(picture(generator.predict_on_batch(z_fixed)), display_id=True)
start = time.perf_counter()

for epoch in range(1, epochs + 1):
    order = rng.permutation(len(x_train))
    losses = []
    for step in range(len(x_train) // batch):
        reals = x_train[order[step * batch : (step + 1) * batch]]
        # [gap]
        # en: TO DO: steps 5 to 10, with the lines above
        # fr: À COMPLÉTER : les étapes 5 à 10, avec les lignes ci-dessus
        # | d_loss, d_accuracy, g_loss = ..., ..., ...
        # | done("5-10", d_loss=d_loss, d_accuracy=d_accuracy, g_loss=g_loss)
        # [solution]
        # 5, 6
        fakes = generator.predict_on_batch(rng.normal(size=(batch, latent)))
        # 7
        x = np.concatenate([reals, fakes])
        y = np.concatenate([np.ones((batch, 1)), np.zeros((batch, 1))])
        # 8
        d_loss, d_accuracy = discriminator.train_on_batch(x, y)
        # 9, 10
        g_loss = gan.train_on_batch(rng.normal(size=(batch, latent)), np.ones((batch, 1)))
        # [end]
        losses.append([d_loss, d_accuracy, g_loss])

    for name, value in zip(history, np.mean(losses, axis=0)):
        history[name].append(float(value))
    strip = generator.predict_on_batch(z_fixed)
    live.update(picture(strip))
    if epoch == 1:
        took = time.perf_counter() - start
        # [en]
        print(f"one epoch: {minutes(took)}; all {epochs}: about {minutes(epochs * took)}")
        # [fr]
        print(f"une époque : {minutes(took)} ; les {epochs} : environ {minutes(epochs * took)}")
        # [all]
    if epoch == 1 or epoch % every == 0 or epoch == epochs:
        strips[epoch] = strip
        d, g = history["d_loss"][-1], history["g_loss"][-1]
        # [en]
        print(f"epoch {epoch}: D loss {d:.3f}, G loss {g:.3f}")
        # [fr]
        print(f"époque {epoch} : perte de D {d:.3f}, perte de G {g:.3f}")
        # [all]

# %% check
# [en]
equal("epochs in the history:", len(history["d_loss"]), epochs)
equal("losses are numbers:", bool(np.isfinite(history["d_loss"] + history["g_loss"]).all()), True)
# [fr]
equal("époques dans l'historique :", len(history["d_loss"]), epochs)
equal(
    "les pertes sont des nombres :",
    bool(np.isfinite(history["d_loss"] + history["g_loss"]).all()),
    True,
)
# [all]

# %% [markdown] en
"""
**What to expect.** With these settings after 1, 3 and 10 epochs of 6,000 images (93, 279 and 930 steps):

![After 1 epoch: strokes](pictures/lab-1.png)

![After 3 epochs: digits here and there](pictures/lab-3.png)

![After 10 epochs: clean strokes, half of them digits](pictures/lab-10.png)

After 2,811 steps, as many as thirty of these epochs make (three passes over all of MNIST by `faussaire train mnist --preset tp`, whose
pictures come from an average of G over the last steps, a little steadier than G itself):

![After 2,811 steps: most are digits](pictures/lab-2811.png)
"""

# %% [markdown] fr
"""
**À quoi s'attendre.** Avec ces réglages, après 1, 3 et 10 époques de 6 000 images (93, 279 et 930 pas) :

![Après 1 époque : des traits](pictures/lab-1.png)

![Après 3 époques : des chiffres, ici et là](pictures/lab-3.png)

![Après 10 époques : des traits nets, un chiffre sur deux](pictures/lab-10.png)

Après 2 811 pas, autant que trente de ces époques (trois passages sur tout MNIST par `faussaire train mnist --preset tp`, dont les images
viennent d'une moyenne de G sur les derniers pas, un peu plus stable que G lui-même) :

![Après 2 811 pas : surtout des chiffres](pictures/lab-2811.png)
"""

# %% [markdown] en
"""
## Results

A classifier's loss falls because its target is fixed. Here each loss is measured against an opponent that learns: when D
improves, G's loss rises although the images may be better than before. The two losses say whether the game is alive (neither
near 0 for long), not whether the images are good.
"""

# %% [markdown] fr
"""
## Résultats

La perte d'un classifieur baisse parce que sa cible est immobile. Ici, chaque perte se mesure face à un adversaire qui
apprend : quand D progresse, la perte de G monte, même si les images sont meilleures qu'avant. Les deux pertes disent si le
jeu est vivant (aucune ne reste longtemps près de 0), pas si les images sont bonnes.
"""

# %%
figure, axes = plt.subplots(figsize=(7, 3), facecolor="white")
numbers = range(1, len(history["d_loss"]) + 1)
# [en]
axes.plot(numbers, history["d_loss"], ".-", label="loss of D")
axes.plot(numbers, history["g_loss"], ".-", label="loss of G")
axes.axhline(math.log(2), color="grey", linestyle=":", label="ln 2: D answers 0.5")
axes.set(xlabel="epoch", ylabel="loss", xlim=(0.5, len(numbers) + 0.5))
# [fr]
axes.plot(numbers, history["d_loss"], ".-", label="perte de D")
axes.plot(numbers, history["g_loss"], ".-", label="perte de G")
axes.axhline(math.log(2), color="grey", linestyle=":", label="ln 2 : D répond 0,5")
axes.set(xlabel="époque", ylabel="perte", xlim=(0.5, len(numbers) + 0.5))
# [all]
axes.xaxis.get_major_locator().set_params(integer=True)
axes.legend()
figure.savefig("losses.png", dpi=150)

# %%
# en: One row per kept epoch; the same code in each column.
# fr: Une ligne par époque gardée ; le même code latent dans chaque colonne.
# [en]
print("epochs:", *strips)
# [fr]
print("époques :", *strips)
# [all]
montage = picture(np.concatenate(list(strips.values())))
montage.save("montage.png")
montage

# %%
# en: 40 new images, from new codes.
# fr: 40 nouvelles images, à partir de nouveaux codes.
picture(generator.predict_on_batch(rng.normal(size=(40, latent))))

# %%
# en: From one code to another: does each step look like a digit?
# fr: D'un code à un autre : chaque image intermédiaire ressemble-t-elle à un chiffre ?
start, end = rng.normal(size=(2, latent))
picture(generator.predict_on_batch(np.linspace(start, end, 10)))

# %%
# en: The history as a table, for the report.
# fr: L'historique sous forme de table, pour le compte rendu.
np.savetxt(
    "history.csv",
    np.transpose(list(history.values())),
    delimiter=",",
    header=",".join(history),
    comments="",
)

# %% [markdown] en
"""
## Questions

1. Derive the 1,024 untrained parameters of G, and the parameters of D's first convolution.
2. Name two useless discriminators that are right on 50% of the mixed batch.
3. Someone forgets to freeze D in Keras. What do G's loss and the images do?
4. D's logit on a generated image is -5. Compare the slope of the loss at that logit for $\\log(1 - D)$ and for $-\\log D$.
5. Label the real images 0.9 instead of 1 in step 7. What is D's best answer now, and why can it help?
6. End G with `tanh`. What else has to change?
7. Put batch normalisation into D. Why does mixing real and generated images in one batch matter now?
8. All images look like the same 1, and G's loss is low. What has happened?
9. Leave `momentum` at 0.99 and train two epochs. How do you tell, from the losses alone, that this is no balanced game?
"""

# %% [markdown] fr
"""
## Questions

1. Retrouver les 1 024 paramètres non appris de G, et le nombre de paramètres de la première convolution de D.
2. Donner deux discriminateurs inutiles qui ont raison à 50 % sur le lot mélangé.
3. Avec Keras, quelqu'un oublie de geler D. Que deviennent la perte de G et les images ?
4. Le logit de D sur une image générée vaut -5. Comparer la pente de la perte en ce point pour $\\log(1 - D)$ et $-\\log D$.
5. Étiqueter les vraies images 0,9 au lieu de 1 à l'étape 7. Quelle est la meilleure réponse de D, et pourquoi est-ce utile ?
6. Terminer G par `tanh`. Que faut-il changer d'autre ?
7. Mettre une normalisation par lots dans D. Pourquoi le mélange de vraies images et d'images générées importe-t-il alors ?
8. Toutes les images ressemblent au même 1, et la perte de G est basse. Que s'est-il passé ?
9. Laisser `momentum` à 0,99 et entraîner deux époques. À quoi voit-on, d'après les seules pertes, que ce n'est pas un jeu équilibré ?
"""

# %% [markdown] en solution
"""
### Answers

1. Three batch normalisations, a moving mean and a moving variance for each of 128 + 128 + 256 channels: 2 · 512 = 1,024.
   4·4·1·64 weights + 64 biases = 1,088.
2. One says "real" to everything, the other flips a coin.
3. G's step moves D too, towards "real" for generated images: G's loss falls with no better images, and D's step has to undo
   it each time.
4. sigmoid(-5) = 0.0067 in size for log(1 - D); 1 - 0.0067 = 0.9933 for -log D: about 150 times as much.
5. 0.9 where all images are real, a logit of ln 9 = 2.2: D no longer gains by ever higher confidence. G's labels stay 1.
6. The real images must lie in [-1, 1], or D would tell them by their range alone.
7. Mean and variance then mix both kinds, but in G's step D sees generated images only and becomes another function. This net
   dies within ten steps; the notebook on faces gives each kind a batch of its own.
8. Mode collapse: G found one image that D accepts and ignores z. Typical remedies: stop D from falling behind, smaller
   rates, another loss.
9. Both are near 0 at once. If D and G spoke of the same images, a D that is right would mean a high loss of G.
"""

# %% [markdown] fr solution
"""
### Réponses

1. Trois normalisations par lots, une moyenne et une variance glissantes pour chacun des 128 + 128 + 256 canaux :
   2 · 512 = 1 024. Puis 4·4·1·64 poids + 64 biais = 1 088.
2. L'un répond « vraie » à tout, l'autre tire à pile ou face.
3. Le pas de G déplace aussi D, vers « vrai » pour des images générées : la perte de G baisse sans que les images
   s'améliorent, et le pas de D doit à chaque fois réparer.
4. sigmoïde(-5) = 0,0067 en valeur absolue pour log(1 - D) ; 1 - 0,0067 = 0,9933 pour -log D : environ 150 fois plus.
5. 0,9 là où toutes les images sont vraies, soit un logit de ln 9 = 2,2 : D ne gagne plus à être toujours plus sûr de lui. Les
   étiquettes de G restent à 1.
6. Les vraies images doivent être dans [-1, 1], sinon D les reconnaîtrait à leur seul intervalle.
7. Moyenne et variance mêlent alors les deux sortes d'images, mais dans le pas de G, D ne voit que des images générées et
   devient une autre fonction. Un tel réseau meurt en dix pas ; le notebook sur les visages donne à chaque sorte son lot.
8. Effondrement des modes (*mode collapse*) : G a trouvé une image que D accepte et ignore z. Remèdes habituels : empêcher D
   de se laisser distancer, réduire les taux d'apprentissage, changer de perte.
9. Les deux sont proches de 0 en même temps. Si D et G parlaient des mêmes images, un D qui a raison donnerait à G une perte haute.
"""

# %% [markdown] en
"""
## Further

- **The same without the loop:** `gan = fa.DCGAN(preset="tp"); gan.fit(x_train, epochs=30)` trains the same nets, with a bar,
  pictures, a doctor that comments on the losses, and exact resume.
- **What is it worth?** `gan.judge(x_train)` measures the distance between real and generated images.
- **Faces**, for the advanced: the notebook `faces`. **Bonus**, a conditional GAN that writes the digit you ask for: `cgan`.
- **Broken on purpose:** `faussaire train mnist --preset tp-short --sabotage random:7` (your number in place of 7). Find out what is wrong from the
  losses and the pictures alone.
"""

# %% [markdown] fr
"""
## Pour aller plus loin

- **La même chose sans la boucle :** `gan = fa.DCGAN(preset="tp"); gan.fit(x_train, epochs=30)` entraîne les mêmes réseaux,
  avec une barre de progression, des images, un docteur qui commente les pertes, et une reprise exacte.
- **Que valent les images ?** `gan.judge(x_train)` mesure la distance entre vraies images et images générées.
- **Des visages**, pour les plus avancés : le notebook `faces`. **Bonus**, un GAN conditionné qui écrit le chiffre demandé :
  `cgan`.
- **Cassé exprès :** `faussaire train mnist --preset tp-short --sabotage random:7` (votre numéro à la place de 7). Trouver ce qui ne va pas
  d'après les pertes et les images seules.
"""
