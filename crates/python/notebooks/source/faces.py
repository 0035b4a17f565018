"""Faces: a DCGAN on CelebA, for the advanced. make.py makes the notebooks."""

# %% [markdown] en
r"""
# Faces, with a DCGAN

For the advanced: colour images of 64x64 pixels, photographs of faces (CelebA, Liu et al. 2015), and the nets of the paper that gave
DCGAN its name (Radford et al. 2016), at half their widths. The generator takes no condition.

**At the end you can**
- build a generator that doubles its sides four times, by the paper's rules;
- say what batch normalisation in D does to a batch of real and generated images;
- judge what a net has learnt after few epochs, and what it hasn't.

**You need** the notebook `lab`; `pip install "faussaire[notebook,plot]"`; CelebA on this machine. Its licence forbids handing it on, so
nothing fetches it: take `img_align_celeba.zip` (1.4 GB) and `list_attr_celeba.txt` from the
[authors' page](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) or from Kaggle, and put them into a folder `celeba` below the data
folder (`FAUSSAIRE_DATA`), zipped or unpacked. Ten thousand images are enough here.

**Plan**

| | | minutes |
| --- | --- | ---: |
| Steps 1, 2 | parameters, data | 5 |
| Steps 3, 4 | the networks | 15 |
| Step 5 | the GAN, and a trap | 10 |
| Steps 6, 7 | training, pictures | 10 of training |
"""

# %% [markdown] en gaps
"""
Where a cell says `TO DO`, replace `...` by your code. A check follows; it says in one line what is missing.
"""

# %% [markdown] fr
r"""
# Des visages, avec un DCGAN

Pour les plus avancés : des images en couleurs de 64x64 pixels, des photographies de visages (CelebA, Liu et al. 2015), et les réseaux
de l'article qui a donné son nom au DCGAN (Radford et al. 2016), deux fois moins larges. Le générateur n'est pas conditionné.

**À la fin, vous saurez**
- construire un générateur qui double quatre fois les côtés, selon les règles de l'article ;
- dire ce qu'une normalisation par lots dans D fait d'un lot de vraies images et d'images générées ;
- juger ce qu'un réseau a appris après peu d'époques, et ce qu'il n'a pas appris.

**Il faut** avoir fait le notebook `lab` ; `pip install "faussaire[notebook,plot]"` ; CelebA sur cette machine. Sa licence interdit de le
redistribuer, rien ne le télécharge donc : prendre `img_align_celeba.zip` (1,4 Go) et `list_attr_celeba.txt` sur la
[page des auteurs](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) ou sur Kaggle, et les mettre dans un dossier `celeba` sous le
dossier des données (`FAUSSAIRE_DATA`), compressés ou non. Dix mille images suffisent ici.

**Plan de la séance**

| | | minutes |
| --- | --- | ---: |
| Étapes 1, 2 | paramètres, données | 5 |
| Étapes 3, 4 | les réseaux | 15 |
| Étape 5 | le GAN, et un piège | 10 |
| Étapes 6, 7 | entraînement, images | 10 de calcul |
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

On two cores of a laptop without AVX-512, 44 images per second: 5,000 faces and 5 epochs take 10 minutes.
"""

# %% [markdown] fr
"""
## Étape 1. Les paramètres

Sur deux cœurs d'un portable sans AVX-512, 44 images par seconde : 5 000 visages et 5 époques prennent 10 minutes.
"""

# %% parameters
# en: or a folder of photographs of your own, of any size
# fr: ou un dossier de photographies à vous, de n'importe quelle taille
source = "celeba"
images = 5_000
epochs = 5
batch_size = 64
latent_dim = 100
seed = 0

# %% include _helpers.py folded

# %% [markdown] en
"""
## Step 2. The faces
"""

# %% [markdown] fr
"""
## Étape 2. Les visages
"""

# %%
x_data = fa.load_data(source, size=64, channels=3, count=images)
rng = np.random.default_rng(seed)
print(len(x_data), x_data.shape)
x_data.preview(20)

# %% [markdown] en
"""
`load_data` hands out the data set, which reads images as they are needed; `.numpy()` would give them all as one array.

## Step 3. The generator

| layer | output |
| --- | --- |
| dense, reshape | 4 x 4 x 512 |
| batch normalisation, relu | |
| transposed convolution 4x4, stride 2, 256 filters; batch normalisation, relu | 8 x 8 x 256 |
| the same with 128 filters | 16 x 16 x 128 |
| the same with 64 filters | 32 x 32 x 64 |
| transposed convolution 4x4, stride 2, 3 filters; tanh | 64 x 64 x 3 |

The paper starts kernels from N(0, 0.02): `kernel_initializer=init`. It ends in `tanh`, so images lie in [-1, 1]; `fit` brings the real
ones there by itself.
"""

# %% [markdown] fr
"""
`load_data` rend le jeu de données, qui lit les images quand il en faut ; `.numpy()` les donnerait toutes dans un tableau.

## Étape 3. Le générateur

| couche | sortie |
| --- | --- |
| dense, remise en forme | 4 x 4 x 512 |
| normalisation par lots, relu | |
| convolution transposée 4x4, pas de 2, 256 filtres ; normalisation par lots, relu | 8 x 8 x 256 |
| la même avec 128 filtres | 16 x 16 x 128 |
| la même avec 64 filtres | 32 x 32 x 64 |
| convolution transposée 4x4, pas de 2, 3 filtres ; tanh | 64 x 64 x 3 |

L'article tire les noyaux de N(0, 0,02) : `kernel_initializer=init`. Il termine par `tanh`, les images sont donc dans [-1, 1] ; `fit` y
ramène lui-même les vraies.
"""

# %%
init = fa.initializers.RandomNormal(stddev=0.02)
# [gap]
# en: TO DO: four doublings, in a list or a loop
# fr: À COMPLÉTER : quatre doublements, dans une liste ou une boucle
# | generator = ...
# [solution]
grown = [
    fa.Input((latent_dim,)),
    layers.Dense(4 * 4 * 512, kernel_initializer=init),
    layers.Reshape((4, 4, 512)),
    layers.BatchNormalization(momentum=0.9),
    layers.ReLU(),
]
for filters in 256, 128, 64:
    grown += [
        layers.Conv2DTranspose(filters, 4, strides=2, padding="same", kernel_initializer=init),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]
grown.append(
    layers.Conv2DTranspose(
        3, 4, strides=2, padding="same", activation="tanh", kernel_initializer=init
    )
)
generator = fa.Sequential(grown)
# [end]

# %% check
done(3, generator=generator)
# [en]
equal("output of G:", generator.output_shape[-3:], (64, 64, 3), "Four doublings: 4, 8, 16, 32, 64.")
equal(
    "parameters of G:",
    generator.count_params(),
    3_587_267,
    "Filters 256, 128, 64, 3? Four batch normalisations?",
)
# [fr]
equal(
    "sortie de G :",
    generator.output_shape[-3:],
    (64, 64, 3),
    "Quatre doublements : 4, 8, 16, 32, 64.",
)
equal(
    "paramètres de G :",
    generator.count_params(),
    3_587_267,
    "Filtres 256, 128, 64, 3 ? Quatre normalisations ?",
)
# [all]

# %% [markdown] en
"""
## Step 4. The discriminator

The mirror image: four convolutions 4x4 of stride 2 with 64, 128, 256, 512 filters, each followed by LeakyReLU 0.2, and by batch
normalisation before it *except in the first*; flatten; one sigmoid.
"""

# %% [markdown] fr
"""
## Étape 4. Le discriminateur

L'image en miroir : quatre convolutions 4x4 de pas 2 à 64, 128, 256, 512 filtres, chacune suivie de LeakyReLU 0,2, avec une
normalisation par lots avant celle-ci, *sauf dans la première* ; mise à plat ; une sigmoïde.
"""

# %%
# [gap]
# en: TO DO
# fr: À COMPLÉTER
# | discriminator = ...
# [solution]
shrunk = [
    fa.Input((64, 64, 3)),
    layers.Conv2D(64, 4, strides=2, padding="same", kernel_initializer=init),
    layers.LeakyReLU(0.2),
]
for filters in 128, 256, 512:
    shrunk += [
        layers.Conv2D(filters, 4, strides=2, padding="same", kernel_initializer=init),
        layers.BatchNormalization(momentum=0.9),
        layers.LeakyReLU(0.2),
    ]
shrunk += [layers.Flatten(), layers.Dense(1, activation="sigmoid", kernel_initializer=init)]
discriminator = fa.Sequential(shrunk)
# [end]

# %% check
done(4, discriminator=discriminator)
# [en]
equal("output of D:", discriminator.output_shape[-1:], (1,))
equal(
    "parameters of D:",
    discriminator.count_params(),
    2_768_321,
    "No batch normalisation after the first convolution.",
)
# [fr]
equal("sortie de D :", discriminator.output_shape[-1:], (1,))
equal(
    "paramètres de D :",
    discriminator.count_params(),
    2_768_321,
    "Pas de normalisation après la première convolution.",
)
# [all]

# %% [markdown] en
"""
## Step 5. The GAN, and a trap

In the lab, D gets real and generated images in *one* batch. With batch normalisation in D that is a trap: mean and variance are taken
over both kinds, so they tell the two halves apart, while in G's step all images are generated and are normalised by their own
statistics. Tried with these nets: after ten steps both losses are near 0, and nothing is learnt any more.

So each kind gets a batch of its own, as in the paper: `joint_batch=False`. Adam with 2e-4 and beta1 0.5 for both.
"""

# %% [markdown] fr
"""
## Étape 5. Le GAN, et un piège

Dans le TP, D reçoit vraies images et images générées dans *un* lot. Avec une normalisation par lots dans D, c'est un piège : moyenne et
variance portent sur les deux sortes, elles suffisent donc à séparer les deux moitiés ; mais dans le pas de G, toutes les images sont
générées et normalisées par leurs propres statistiques. Essayé avec ces réseaux : après dix pas, les deux pertes sont proches de 0, et
plus rien ne s'apprend.

Chaque sorte a donc son propre lot, comme dans l'article : `joint_batch=False`. Adam avec 2e-4 et beta1 = 0,5 pour les deux.
"""

# %%
# [gap]
# en: TO DO: fa.DCGAN(...), then gan.compile(discriminator_optimizer=...,
# en: generator_optimizer=..., joint_batch=...)
# fr: À COMPLÉTER : fa.DCGAN(...), puis gan.compile(discriminator_optimizer=...,
# fr: generator_optimizer=..., joint_batch=...)
# | gan = ...
# [solution]
gan = fa.DCGAN(discriminator=discriminator, generator=generator, latent_dim=latent_dim)
gan.compile(
    discriminator_optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5),
    generator_optimizer=fa.optimizers.Adam(2e-4, beta_1=0.5),
    joint_batch=False,
)
# [end]

# %% check
done(5, gan=gan)
# [en]
equal(
    "one batch for both kinds:",
    gan.recipe["train.joint_batch"],
    False,
    "Call gan.compile with joint_batch=False.",
)
equal("beta1 of G:", gan.recipe["generator.adam.beta1"], 0.5)
# [fr]
equal(
    "un lot pour les deux sortes :",
    gan.recipe["train.joint_batch"],
    False,
    "gan.compile avec joint_batch=False.",
)
equal("beta1 de G :", gan.recipe["generator.adam.beta1"], 0.5)
# [all]

# %% [markdown] en
"""
## Step 6. Train
"""

# %% [markdown] fr
"""
## Étape 6. Entraîner
"""

# %%
# [gap]
# en: TO DO: gan.fit of x_data, with fa.callbacks.Images() among the callbacks
# fr: À COMPLÉTER : gan.fit sur x_data, avec fa.callbacks.Images() parmi les callbacks
# | history = ...
# [solution]
history = gan.fit(x_data, epochs=epochs, batch_size=batch_size, callbacks=[fa.callbacks.Images()])
# [end]

# %% check
done(6, history=history)
# [en]
equal("epochs in the history:", len(history.history["d_loss"]), epochs)
near(
    "first loss of D:",
    float(history.steps["d_loss"][0]),
    0.9,
    0.6,
    "ln 2 or a little more: D knows nothing yet.",
)
# [fr]
equal("époques dans l'historique :", len(history.history["d_loss"]), epochs)
near(
    "première perte de D :",
    float(history.steps["d_loss"][0]),
    0.9,
    0.6,
    "ln 2 ou un peu plus : D ne sait encore rien.",
)
# [all]

# %% [markdown] en
"""
**What to expect** after 685 steps of 64 (4.4 passes over 10,000 faces): hair, eyes, mouths and the light are where they belong;
outlines are blurred, backgrounds stained, a few faces are masks. The recipe's 25 passes take an hour and a half.

![40 faces after 685 steps](pictures/faces-685.jpg)

## Step 7. History and pictures
"""

# %% [markdown] fr
"""
**À quoi s'attendre** après 685 pas de 64 (4,4 passages sur 10 000 visages) : cheveux, yeux, bouche et lumière sont à leur place ; les
contours sont flous, les fonds tachés, quelques visages sont des masques. Les 25 passages de la recette prennent une heure et demie.

![40 visages après 685 pas](pictures/faces-685.jpg)

## Étape 7. Historique et images
"""

# %%
axes = history.plot()
# [fr]
axes.set(xlabel="époque", ylabel="perte")
legend = axes.legend(["discriminateur", "générateur"])
# [all]

# %%
# en: From one face to another. G ends in tanh: from [-1, 1] to [0, 1].
# fr: D'un visage à un autre. G se termine par tanh : de [-1, 1] à [0, 1].
start, end = rng.normal(size=(2, latent_dim))
walk = picture((gan.predict(np.linspace(start, end, 10)) + 1) / 2, scale=1)
walk.save("walk.png")
walk

# %% [markdown] en
"""
## Questions

1. Why no batch normalisation in D's first layer, nor in G's last?
2. Set `joint_batch=True` and train for 20 steps (`steps=20`). Read both losses. How does D win?
3. Replace transposed convolutions by upsampling and convolution. What changes in hair and background?
4. Which faces of the interpolation wouldn't pass for photographs? Why there?
"""

# %% [markdown] fr
"""
## Questions

1. Pourquoi pas de normalisation par lots dans la première couche de D, ni dans la dernière de G ?
2. Mettre `joint_batch=True` et entraîner 20 pas (`steps=20`). Lire les deux pertes. Comment D gagne-t-il ?
3. Remplacer les convolutions transposées par suréchantillonnage et convolution. Qu'est-ce qui change dans les cheveux et le fond ?
4. Quels visages de l'interpolation ne passeraient pas pour des photographies ? Pourquoi là ?
"""

# %% [markdown] en solution
"""
### Answers

1. It would take the images' own mean and variance, brightness and contrast, from D's view and out of G's hands; the paper saw samples
   oscillate.
2. D's loss is near 0.003 and G's near 0.001 within ten steps, at once low: in D's batch the statistics give the kinds away; in G's step
   the same images, alone, look real to D. Neither loss has anything to teach.
3. The fine chequered texture goes; outlines are smoother.
4. Those in the middle of two very unlike ones (glasses and none, two hair styles): few photographs lie between them.
"""

# %% [markdown] fr solution
"""
### Réponses

1. Elle ôterait de la vue de D, et des mains de G, la moyenne et la variance des images elles-mêmes, luminosité et contraste ; les auteurs
   ont vu les images osciller.
2. En dix pas, la perte de D vaut environ 0,003 et celle de G 0,001, basses en même temps : dans le lot de D, les statistiques trahissent
   les deux sortes ; dans le pas de G, les mêmes images, seules, paraissent vraies à D. Aucune des deux pertes n'a plus rien à apprendre aux réseaux.
3. La fine texture en damier disparaît ; les contours sont plus lisses.
4. Ceux à mi-chemin de deux visages très différents (avec et sans lunettes, deux coiffures) : peu de photographies se trouvent entre eux.
"""
